/** The stack's own worker as it tells of itself, and one more of its build that serves one task queue alone. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { projectRoot } from '../../config/load.ts';
import { readState } from '../../stack/data-dir.ts';
import { createPortChooser } from '../../stack/ports.ts';
import { metricsAddress } from '../../stack/scrape-targets.ts';
import { metricDefinitions } from '../../workers/metric-definitions.ts';
import { eventually } from '../support/eventually.ts';
import { config, connectSql, stack } from '../support/shared-stack.ts';

const buildId = (): string =>
  readState(stack.dataDir)
    ?.services.find(({ name }) => name.startsWith('worker-'))
    ?.name.slice('worker-'.length) ?? '';

const ownAddress = (): string => metricsAddress(stack.dataDir, `worker-${buildId()}`) ?? '';

async function ask(address: string, path: string): Promise<{ status: number; text: string }> {
  const response = await fetch(`http://${address}${path}`);
  return { status: response.status, text: await response.text() };
}

/** The samples of a metric: the text of its labels, and its value. */
function samplesOf(text: string, metric: string): ReadonlyMap<string, number> {
  const lines = text
    .split('\n')
    .filter((line) => line.startsWith(`${metric} `) || line.startsWith(`${metric}{`));
  return new Map(
    lines.map((line) => {
      const end = line.lastIndexOf(' ');
      return [line.slice(metric.length, end), Number(line.slice(end + 1))];
    }),
  );
}

describe('the worker of the stack', () => {
  test('is ready, serves every task queue, and says of which build it is', async () => {
    const { status, text } = await ask(ownAddress(), '/ready');
    expect([status, JSON.parse(text)]).toEqual([
      200,
      {
        buildId: buildId(),
        phase: 'serving',
        taskQueues: {
          control: 'RUNNING',
          'source-api': 'RUNNING',
          'source-history': 'RUNNING',
          flink: 'RUNNING',
        },
      },
    ]);
  });

  test('tells metrics of the business that are what the tables say, those of the SDK, and no secret', async () => {
    const sql = await connectSql();
    try {
      const { rows } = await sql.query<{ locations: number; letters: number }>(
        'select (select count(*)::int from locations where active_to is null) as locations, (select count(*)::int from dead_letters where outcome is null) as letters',
      );
      const text = await eventually(
        'the stream’s job is told to be stable',
        async () => (await ask(ownAddress(), '/metrics')).text,
        (told) =>
          told.includes('hourglass_flink_job{job="weather-stream",state="stable",desired="running"} 1'),
        { everyMs: 1_000 },
      );
      expect(samplesOf(text, 'hourglass_locations').get('{pipeline="weather"}')).toBe(rows[0]?.locations);
      expect(
        [...samplesOf(text, 'hourglass_dead_letters').values()].reduce((sum, value) => sum + value, 0),
      ).toBe(rows[0]?.letters);
      expect([...samplesOf(text, 'hourglass_metrics_group_up').values()]).toEqual(Array(8).fill(1));
      expect([...samplesOf(text, 'hourglass_consumer_lag_records').values()].length).toBeGreaterThan(1);
      expect(samplesOf(text, 'hourglass_worker_heap_limit_bytes').get('')).toBeLessThan(1.2 * 2 ** 30);
      expect(text).toMatch(/^temporal_worker_task_slots_available\{.*\} \d+$/m);

      const names = new Set(Object.values(metricDefinitions).map(({ name }) => name));
      const told = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name = '']) => name);
      expect(told.filter((name) => !name.startsWith('temporal_') && !names.has(name))).toEqual([]);
      expect(new Set(told).size).toBe(told.length);
      const { POSTGRES_PASSWORD, OPENWEATHERMAP_API_KEY, ALERT_WEBHOOK_URL } = config.values;
      for (const secret of [POSTGRES_PASSWORD, OPENWEATHERMAP_API_KEY, ALERT_WEBHOOK_URL])
        expect(text).not.toContain(secret);
    } finally {
      await sql.end();
    }
  });
});

describe('one more worker', () => {
  test('serves the task queue that it is told, and a signal to the command ends it in order', async () => {
    const port = await createPortChooser().internal();
    const address = `127.0.0.1:${port}`;
    const { PATH = '', HOME = '' } = process.env;
    const args = ['workers', 'run', '--roles', 'flink', '--health-port', String(port), '--build', buildId()];
    const command = spawn(process.execPath, [join(projectRoot, 'cli/bin.js'), ...args], {
      env: { PATH, HOME, HOURGLASS_DATA_DIR: stack.dataDir },
      stdio: 'ignore',
    });
    const ended = new Promise<number | null>((resolve) => command.once('exit', resolve));
    try {
      const { text } = await eventually(
        'it is ready',
        () => ask(address, '/ready'),
        ({ status }) => status === 200,
      );
      expect(JSON.parse(text)).toEqual({
        ...{ buildId: buildId(), phase: 'serving', taskQueues: { flink: 'RUNNING' } },
      });
      const metrics = (await ask(address, '/metrics')).text;
      expect(metrics).toContain(`hourglass_worker_info{build="${buildId()}",roles="flink"} 1`);
      // The business is told by those that serve `control`.
      expect(metrics).not.toContain('hourglass_locations');
    } finally {
      command.kill('SIGTERM');
    }
    expect(await ended).toBe(0);
  });
});
