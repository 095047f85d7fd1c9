/** What a worker process tells over HTTP: whether it lives, whether it takes work, and its metrics. */
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { Served, WorkerPhase } from './lifecycle.ts';

export interface HealthOptions {
  readonly host: string;
  readonly port: number;
  readonly buildId: string;
  phase(): WorkerPhase;
  /** By task queue; none before they are made. */
  workers(): Readonly<Record<string, Pick<Served, 'getState'>>>;
  /** In the text format of Prometheus. */
  metrics(): Promise<string>;
}

export interface HealthServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Resolves when it listens. @throws when the port is taken */
export async function serveHealth(options: HealthOptions): Promise<HealthServer> {
  const server = createServer((request, response) => {
    const path = request.url?.split('?', 1)[0] ?? '/';
    if (request.method !== 'GET') return answer(response, 405, { error: 'Only GET is answered here.' });
    if (path === '/health') return answer(response, 200, statusOf(options));
    if (path === '/ready') return answer(response, isReady(options) ? 200 : 503, statusOf(options));
    if (path === '/metrics') return void answerMetrics(response, options);
    answer(response, 404, { error: 'Here are /health, /ready and /metrics.' });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  return { port: (server.address() as { port: number }).port, close: () => close(server) };
}

/** It takes work only while every one of its task queues is polled; from the first signal on it does not. */
export function isReady({ phase, workers }: Pick<HealthOptions, 'phase' | 'workers'>): boolean {
  const states = Object.values(workers()).map((worker) => worker.getState());
  return phase() === 'serving' && states.length > 0 && states.every((state) => state === 'RUNNING');
}

function statusOf({ buildId, phase, workers }: HealthOptions) {
  const states = Object.entries(workers()).map(([queue, worker]) => [queue, worker.getState()]);
  return { buildId, phase: phase(), taskQueues: Object.fromEntries(states) };
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(body)}\n`);
}

async function answerMetrics(response: ServerResponse, { metrics }: HealthOptions): Promise<void> {
  try {
    const text = await metrics();
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
    response.end(text);
  } catch {
    // Its reason may name an address or a user; it stands in the log of what failed.
    answer(response, 500, { error: 'The metrics could not be collected; see the log of the worker.' });
  }
}

async function close(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  // One that asks again and again over a connection that it keeps would hold the process.
  server.closeAllConnections();
  await closed;
}
