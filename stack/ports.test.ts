import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { PortInUseError } from './errors.ts';
import { createPortChooser, isFree } from './ports.ts';

const servers: Server[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

/** A port of this machine that something listens on. */
async function takenPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const port = await takenPort();
  const server = servers.pop();
  await new Promise((resolve) => server?.close(resolve));
  return port;
}

const kafka = { service: 'Kafka', variable: 'KAFKA_PORT' } as const;

describe('a port that was set explicitly', () => {
  test('is kept when it is free', async () => {
    const port = await freePort();
    expect(await createPortChooser().choose({ ...kafka, port, explicit: true })).toBe(port);
  });

  test('is refused when it is taken, with the port, the service and the variable in the message', async () => {
    const port = await takenPort();
    const choosing = createPortChooser().choose({ ...kafka, port, explicit: true });
    await expect(choosing).rejects.toThrow(PortInUseError);
    await expect(choosing).rejects.toThrow(
      `Port ${port} for Kafka is in use (KAFKA_PORT=${port}): stop what listens there, set another KAFKA_PORT, or leave it out and a free port is taken.`,
    );
  });

  test('is refused when another service of the stack was given it', async () => {
    const chooser = createPortChooser();
    const port = await freePort();
    await chooser.choose({ ...kafka, port, explicit: true });
    await expect(
      chooser.choose({ service: 'the mock', variable: 'MOCK_PORT', port, explicit: true }),
    ).rejects.toThrow('for the mock is in use (MOCK_PORT=');
  });
});

describe('a port that was not set explicitly', () => {
  test('moves up to the next free one when it is taken', async () => {
    const port = await takenPort();
    const chosen = await createPortChooser().choose({ ...kafka, port, explicit: false });
    expect(chosen).toBeGreaterThan(port);
    expect(await isFree(chosen)).toBe(true);
  });

  test('is never given twice, however many ask while another is being looked at', async () => {
    const chooser = createPortChooser();
    const port = await freePort();
    const choosing: Promise<number>[] = [];
    for (let asked = 0; asked < 20; asked += 1) {
      choosing.push(chooser.choose({ ...kafka, port, explicit: false }));
      // Just long enough that the port is looked at, and not yet given.
      await new Promise((resolve) => process.nextTick(resolve));
    }
    expect(new Set(await Promise.all(choosing)).size).toBe(20);
  });
});

describe('an internal port', () => {
  test('is the preferred one when that is free, so that a service comes back where it was', async () => {
    const port = await freePort();
    expect(await createPortChooser().internal(port)).toBe(port);
  });

  test('is another one when the preferred is taken or was given already', async () => {
    const chooser = createPortChooser();
    const taken = await takenPort();
    const given = await chooser.internal(await freePort());
    const others = [await chooser.internal(taken), await chooser.internal(given)];
    expect(others).not.toContain(taken);
    expect(others).not.toContain(given);
  });

  test('without a preference lies below the ports of outgoing connections', async () => {
    const port = await createPortChooser().internal();
    expect(port).toBeGreaterThanOrEqual(21_000);
    expect(port).toBeLessThan(32_768);
  });

  test('the same preference of two is granted to one', async () => {
    const chooser = createPortChooser();
    const preferred = await freePort();
    const chosen = await Promise.all([chooser.internal(preferred), chooser.internal(preferred)]);
    expect(new Set(chosen).size).toBe(2);
  });
});
