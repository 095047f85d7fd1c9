import { afterEach, describe, expect, test } from 'vitest';
import { type HealthServer, serveHealth } from './health-server.ts';
import type { WorkerPhase } from './lifecycle.ts';

let server: HealthServer | undefined;
afterEach(() => server?.close());

interface Standing {
  readonly phase?: WorkerPhase;
  readonly states?: Readonly<Record<string, string>>;
  readonly metrics?: () => Promise<string>;
}

async function ask(path: string, standing: Standing = {}, method = 'GET') {
  const { phase = 'serving', states = { control: 'RUNNING' }, metrics = async () => 'a 1\n' } = standing;
  server = await serveHealth({
    ...{ host: '127.0.0.1', port: 0, buildId: 'b1', metrics, phase: () => phase },
    workers: () =>
      Object.fromEntries(Object.entries(states).map(([queue, state]) => [queue, { getState: () => state }])),
  });
  const response = await fetch(`http://127.0.0.1:${server.port}${path}`, { method });
  return { status: response.status, text: await response.text(), headers: response.headers };
}

describe('the health of a worker', () => {
  test('it lives as long as it answers, whatever it does', async () => {
    const { status, text } = await ask('/health', { phase: 'stopping', states: { control: 'DRAINING' } });
    expect(status).toBe(200);
    expect(JSON.parse(text)).toEqual({
      buildId: 'b1',
      phase: 'stopping',
      taskQueues: { control: 'DRAINING' },
    });
  });

  test.each<[string, Standing, number]>([
    ['while it polls every task queue', { states: { control: 'RUNNING', flink: 'RUNNING' } }, 200],
    ['not before its workers are made', { phase: 'starting', states: {} }, 503],
    ['not when one of them does not run', { states: { control: 'RUNNING', flink: 'FAILED' } }, 503],
    ['not from the first signal on, though they still run', { phase: 'stopping' }, 503],
  ])('it is ready %s', async (_, standing, status) => {
    expect((await ask('/ready', standing)).status).toBe(status);
  });

  test('its metrics are text, and when they cannot be had their reason is not told to whoever asks', async () => {
    const told = await ask('/metrics');
    expect([told.status, told.text]).toEqual([200, 'a 1\n']);
    expect(told.headers.get('content-type')).toContain('text/plain; version=0.0.4');
    await server?.close();
    const failing = await ask('/metrics', { metrics: () => Promise.reject(new Error('password 123')) });
    expect(failing.status).toBe(500);
    expect(failing.text).not.toContain('123');
  });

  test('anything else is refused', async () => {
    expect((await ask('/secrets')).status).toBe(404);
    await server?.close();
    expect((await ask('/ready', {}, 'POST')).status).toBe(405);
  });

  test('a port that is taken is a failure', async () => {
    await ask('/health');
    const again = serveHealth({
      ...{ host: '127.0.0.1', port: server?.port ?? 0, buildId: 'b2', metrics: async () => '' },
      ...{ phase: () => 'serving' as const, workers: () => ({}) },
    });
    await expect(again).rejects.toThrow('EADDRINUSE');
  });
});
