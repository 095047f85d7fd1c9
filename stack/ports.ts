/** Chooses the ports of the native stack: an explicit one is kept or refused, any other moves to the next free one. */
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { LOOPBACK } from './context.ts';
import { PortInUseError } from './errors.ts';

const SEARCHED_PORTS = 500;
/** Below the range from which systems take the ports of outgoing connections, so that a restarted service finds its port free. */
const INTERNAL_PORTS = { from: 21_000, to: 31_000 } as const;

export interface WantedPort {
  readonly service: string;
  readonly variable: string;
  readonly port: number;
  readonly explicit: boolean;
}

export interface PortChooser {
  /** @throws PortInUseError when an explicit port is taken */
  choose(wanted: WantedPort): Promise<number>;
  /** The preferred port when it is free, else any: for what only the stack's own processes use among themselves. */
  internal(preferred?: number): Promise<number>;
}

/** Remembers what it gave, so that two services are never given the same port. */
export function createPortChooser(): PortChooser {
  const given = new Set<number>();
  const take = async (port: number): Promise<boolean> => {
    if (given.has(port)) return false;
    // Before it is looked at: another that asks meanwhile would find it free too.
    given.add(port);
    const free = await isFree(port);
    if (!free) given.delete(port);
    return free;
  };
  return {
    async choose({ service, variable, port, explicit }) {
      if (await take(port)) return port;
      if (explicit) throw new PortInUseError(port, service, variable);
      for (let next = port + 1; next <= Math.min(port + SEARCHED_PORTS, 65_535); next += 1) {
        if (await take(next)) return next;
      }
      throw new PortInUseError(port, service, variable);
    },
    async internal(preferred) {
      if (preferred !== undefined && (await take(preferred))) return preferred;
      for (;;) {
        const port = randomInt(INTERNAL_PORTS.from, INTERNAL_PORTS.to);
        if (await take(port)) return port;
      }
    },
  };
}

export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: LOOPBACK, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
