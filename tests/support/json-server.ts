/** A tiny HTTP server that answers as a test says, and remembers what it was asked. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}

export interface Answer {
  readonly status?: number;
  /** Sent as JSON, a string as it is. */
  readonly body?: unknown;
}

export interface JsonServer {
  readonly url: string;
  readonly asked: readonly Asked[];
  /** `GET /path` of each request, in order. */
  requests(): string[];
  close(): Promise<void>;
}

/** Ends with the test. A request that `answer` returns undefined for gets a 404. */
export async function serveJson(answer: (asked: Asked) => Answer | undefined): Promise<JsonServer> {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const one = {
      method: request.method ?? '',
      path: request.url ?? '',
      body: text === '' ? undefined : JSON.parse(text),
    };
    asked.push(one);
    const { status = 200, body } = answer(one) ?? { status: 404, body: { errors: ['Not found.'] } };
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(body === undefined || typeof body === 'string' ? body : JSON.stringify(body));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  onTestFinished(close);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    requests: () => asked.map(({ method, path }) => `${method} ${path}`),
    close,
  };
}
