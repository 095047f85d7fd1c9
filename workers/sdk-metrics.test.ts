import { createServer } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { freeLoopbackAddress, sdkMetrics } from './sdk-metrics.ts';

const servers: ReturnType<typeof createServer>[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function served(status: number, body: string): Promise<string> {
  const address = await freeLoopbackAddress();
  const server = createServer((_, response) => {
    response.writeHead(status);
    response.end(body);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(Number(address.split(':')[1]), '127.0.0.1', resolve));
  return address;
}

describe('the metrics of the SDK', () => {
  test('are handed on, and what is told after them begins on a line of its own', async () => {
    expect(await sdkMetrics(await served(200, 'temporal_a 1'))).toBe('temporal_a 1\n');
    expect(await sdkMetrics(await served(200, 'temporal_a 1\n'))).toBe('temporal_a 1\n');
    expect(await sdkMetrics(await served(200, ''))).toBe('');
  });

  test('are left out while the SDK does not tell them: the others are told without', async () => {
    expect(await sdkMetrics(await served(500, 'broken'))).toBe('');
    expect(await sdkMetrics(await freeLoopbackAddress())).toBe('');
  });
});
