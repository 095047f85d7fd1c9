/** The metrics of Temporal's SDK, which it serves on a loopback port of its own: finds the port, and fetches them from there. */
import { createServer } from 'node:net';

const LOOPBACK = '127.0.0.1';
const WITHIN_MS = 2_000;

/** An address that was free a moment ago: the SDK cannot be asked which port it was given. */
export function freeLoopbackAddress(): Promise<string> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, LOOPBACK, () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(`${LOOPBACK}:${port}`));
    });
  });
}

/** @returns what the SDK tells; nothing while it does not answer, for the others are told without it */
export async function sdkMetrics(address: string): Promise<string> {
  try {
    const response = await fetch(`http://${address}/metrics`, { signal: AbortSignal.timeout(WITHIN_MS) });
    return response.ok ? withNewline(await response.text()) : '';
  } catch {
    return '';
  }
}

const withNewline = (text: string): string => (text === '' || text.endsWith('\n') ? text : `${text}\n`);
