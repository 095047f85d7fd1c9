import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { expectReachable, NotReachableError } from './reachability.ts';

let server: Server;
const asked: string[] = [];

/** @returns its address */
async function serve(status: number): Promise<string> {
  server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.writeHead(status).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

afterEach(() => {
  server.close();
  asked.length = 0;
});

describe('a service', () => {
  test('that answers anything is reachable, and is asked for nothing that it counts', async () => {
    const url = await serve(404);
    await expectReachable(`${url}/data/2.5?appid=secret`, 1_000);
    expect(asked).toEqual(['HEAD /']);
  });

  test('that cannot serve, or is not there, is not', async () => {
    const url = await serve(503);
    await expect(expectReachable(url, 1_000)).rejects.toThrow(`${url} does not answer: it says 503.`);
    await expect(expectReachable('http://127.0.0.1:1', 1_000)).rejects.toThrow(NotReachableError);
  });
});
