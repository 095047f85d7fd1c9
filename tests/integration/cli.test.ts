import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { hourglass, stack } from '../support/shared-stack.ts';

describe('hourglass', () => {
  test('status tells services, addresses, jobs and the newest observation', async () => {
    const { code, stdout } = await hourglass(['status', '--json']);
    expect(code).toBe(0);
    const status = JSON.parse(stdout);
    expect(status).toMatchObject({ phase: 'ready', source: 'mock' });
    const names: string[] = status.services.map(({ name }: { name: string }) =>
      name.replace(/^worker-.*/, 'worker'),
    );
    // Its Web UI is a service of its own only where Temporal does not bring it in one program.
    expect(names.filter((name) => name !== 'temporal-ui').sort()).toEqual([
      'flink-gateway',
      'flink-jobmanager',
      'flink-taskmanager',
      'kafka',
      'mock',
      'postgres',
      'temporal',
      'worker',
    ]);
    expect(status.services.every(({ phase }: { phase: string }) => phase === 'ready')).toBe(true);
    expect(status.jobs).toMatchObject([
      { name: 'weather-stream', state: expect.stringMatching(/^(settling|stable)$/), flink: 'RUNNING' },
    ]);
    expect(Date.parse(status.newestObservation.observedAt)).toBeGreaterThan(Date.now() - 3_600_000);
    expect(status.urls.Flink).toBe(stack.environment['FLINK_REST_URL']);
  });

  test('status in words names each service and the job', async () => {
    const { stdout } = await hourglass(['status']);
    for (const word of [
      'The stack is ready',
      'postgres',
      'kafka',
      'flink-taskmanager',
      'weather-stream',
      'RUNNING',
      'Newest observation',
    ])
      expect(stdout).toContain(word);
  });

  test('config list tells where each value came from and masks secrets; config get tells one as it is', async () => {
    const environment = {
      HOURGLASS_DATA_DIR: stack.dataDir,
      KAFKA_PORT: '19092',
      OPENWEATHERMAP_API_KEY: 'key-of-the-user',
    };
    const { stdout } = await hourglass(['config', 'list', '--json'], environment);
    const entries = new Map(
      (JSON.parse(stdout) as { name: string; value: string | null; origin: string }[]).map((entry) => [
        entry.name,
        entry,
      ]),
    );
    expect(entries.get('KAFKA_PORT')).toMatchObject({ value: '19092', origin: 'environment' });
    expect(entries.get('FLINK_REST_URL')).toMatchObject({
      value: stack.environment['FLINK_REST_URL'],
      origin: 'stack',
    });
    expect(entries.get('WEATHER_SOURCE')).toMatchObject({ value: 'mock', origin: 'default' });
    expect(stdout).not.toContain('key-of-the-user');
    expect(stdout).not.toContain(stack.environment['POSTGRES_PASSWORD']);
    const got = await hourglass(['config', 'get', 'POSTGRES_PASSWORD'], environment);
    expect(got.stdout.trim()).toBe(stack.environment['POSTGRES_PASSWORD']);
  });

  test('mistakes of the configuration are printed together, and nothing starts', async () => {
    const { code, stderr } = await hourglass(['up'], {
      KAFKA_PORT: 'kafka',
      WEATHER_SOURCE: 'openweathermap',
      LOG_LEVEL: 'loud',
    });
    expect(code).toBe(1);
    for (const word of [
      '3 mistakes',
      'KAFKA_PORT is "kafka"',
      'LOG_LEVEL is "loud"',
      'OPENWEATHERMAP_API_KEY is not set',
    ])
      expect(stderr).toContain(word);
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  test('an explicit port in use is an error that names port, service and variable', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'hourglass-port-'));
    const server = createServer();
    const port = await new Promise<number>((resolve) =>
      server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)),
    );
    try {
      const { code, stderr } = await hourglass(['up'], {
        HOURGLASS_DATA_DIR: dataDir,
        POSTGRES_PORT: String(port),
      });
      expect(code).toBe(1);
      expect(stderr).toContain(`Port ${port} for PostgreSQL is in use (POSTGRES_PORT=${port})`);
      expect(stderr).not.toMatch(/^\s+at /m);
      const { code: statusCode } = await hourglass(['status'], { HOURGLASS_DATA_DIR: dataDir });
      expect(statusCode).toBe(3);
    } finally {
      server.close();
      rmSync(dataDir, { recursive: true, force: true });
    }
  });

  test('a second start on the same data directory returns at once, and one for another source is refused', async () => {
    const again = await hourglass(['up', '--json']);
    expect(again.code).toBe(0);
    expect(JSON.parse(again.stdout)).toMatchObject({ phase: 'ready' });
    const foreground = await hourglass(['start']);
    expect(foreground.code).toBe(1);
    expect(foreground.stderr).toContain('A stack already runs on');
  });

  test('the data directory of one source is refused to the other', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'hourglass-source-'));
    try {
      // The port is in use, so that the first start gets as far as claiming the directory and no further.
      const used = new URL(stack.environment['FLINK_REST_URL'] ?? '').port;
      await hourglass(['up'], { HOURGLASS_DATA_DIR: dataDir, FLINK_REST_PORT: used });
      const { code, stderr } = await hourglass(['up'], {
        HOURGLASS_DATA_DIR: dataDir,
        WEATHER_SOURCE: 'openweathermap',
        OPENWEATHERMAP_API_KEY: 'x',
      });
      expect(code).toBe(1);
      expect(stderr).toContain('holds weather of the source "mock", but WEATHER_SOURCE is "openweathermap"');
      expect(stderr).toContain('HOURGLASS_DATA_DIR=.stack-openweathermap');
    } finally {
      rmSync(dataDir, { recursive: true, force: true });
    }
  });

  test('down without a stack says so, and an unknown command is a usage error', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'hourglass-none-'));
    try {
      expect(await hourglass(['down'], { HOURGLASS_DATA_DIR: dataDir })).toMatchObject({
        code: 0,
        stdout: 'Nothing runs on this data directory.\n',
      });
      expect((await hourglass(['dwon'], { HOURGLASS_DATA_DIR: dataDir })).code).toBe(2);
      const status = await hourglass(['status'], { HOURGLASS_DATA_DIR: dataDir });
      expect(status).toMatchObject({ code: 3 });
      expect(status.stderr).toContain('hourglass up');
    } finally {
      rmSync(dataDir, { recursive: true, force: true });
    }
  });
});
