import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { projectRoot } from '../config/load.ts';
import type { MetricFamily } from '../domain/metrics.ts';
import { weather } from '../pipelines/weather/definition.ts';
import { fakeDatabase } from '../tests/support/fake-database.ts';
import { metricDefinitions } from './metric-definitions.ts';
import { businessMetricGroups, type MetricDoors } from './metric-groups.ts';
import { createProcessMetrics } from './process-metrics.ts';

const at = new Date('2026-11-29T02:00:00Z');

const database = fakeDatabase({
  'freshness-of-locations': [
    { locations: 60, without_observation: 1, median_age: 300, late_age: 590, oldest_age: 4_000 },
  ],
  'hours-changed-lately': [{ hours: 12, latest: at }],
  'ingestion-of-last-hour': [
    {
      ...{ running: 1, completed: 58, failed_runs: 1, calls: 400, completed_at: at },
      ...{ published: 350, unchanged: 20, failed: 5, rejected: 2, skipped: 3 },
    },
  ],
  'dead-letters-by-topic': [{ topic: weather.topics.live.name, letters: 4 }],
  'windows-by-verdict': [{ verdict: 'missing', windows: 9 }],
  'latest-completeness-check': [{ ended_at: at, counts: { complete: 1_431, missing: 9 } }],
  'backfills-by-status': [{ status: 'running', backfills: 1 }],
  'backfill-progress': [
    { status: 'done', records: 900, windows: 880, open_chunks: 2, open_windows: 600 },
    { status: 'pending', records: 0, windows: 120, open_chunks: 3, open_windows: 120 },
  ],
  'flink-jobs': [{ name: 'weather-stream', state: 'stable', desired: 'running', attempt: 3 }],
});

const doors: MetricDoors = {
  ...{ database, pipelines: { weather }, sourceName: 'mock' },
  kafka: {
    committedOffsets: async (_, topic) =>
      new Map<number, number>(topic === weather.topics.live.name ? [[0, 90]] : []),
    watermarks: async () => [
      { partition: 0, low: 10, high: 100 },
      { partition: 1, low: 10, high: 12 },
    ],
  },
};

const collected = async (): Promise<readonly MetricFamily[]> =>
  (await Promise.all(businessMetricGroups(doors).map(({ collect }) => collect()))).flat();

async function samplesOf(name: string) {
  const families = await collected();
  return families.filter(({ definition }) => definition.name === name).flatMap(({ samples }) => samples);
}

describe('the groups of business metrics', () => {
  test('every sample has exactly the labels of its definition', async () => {
    for (const { definition, samples } of await collected())
      for (const { labels } of samples)
        expect([definition.name, Object.keys(labels)]).toEqual([definition.name, [...definition.labels]]);
  });

  test('the lag is what is left from the committed offset, or from the oldest record, to the end of the log', async () => {
    const lag = await samplesOf('hourglass_consumer_lag_records');
    const of = (topic: string) =>
      lag.filter(({ labels }) => labels['topic'] === topic).map(({ value }) => value);
    expect(of(weather.topics.live.name)).toEqual([10, 2]);
    expect(of(weather.topics.repairs.name)).toEqual([90, 2]);
  });

  test('what was counted nowhere is 0, so that its series does not vanish', async () => {
    const toMend = await samplesOf('hourglass_completeness_windows_to_mend');
    expect(toMend.map(({ labels, value }) => [labels['verdict'], value])).toEqual([
      ...[
        ['partial', 0],
        ['missing', 9],
        ['mismatched', 0],
        ['behind', 0],
        ['repairing', 0],
        ['unrepairable', 0],
      ],
    ]);
  });

  test('what backfills have published is counted over all of them, open chunks only of those that go on', async () => {
    expect(await samplesOf('hourglass_backfill_records_total')).toEqual([
      { labels: { pipeline: 'weather' }, value: 900 },
    ]);
    const chunks = await samplesOf('hourglass_backfill_open_chunks');
    expect(
      chunks.filter(({ value }) => value > 0).map(({ labels, value }) => [labels['status'], value]),
    ).toEqual([
      ['pending', 3],
      ['done', 2],
    ]);
  });

  test('before the first check nothing is told of one', async () => {
    const before = { ...doors, database: fakeDatabase() };
    const groups = businessMetricGroups(before);
    const families = (await Promise.all(groups.map(({ collect }) => collect()))).flat();
    expect(families.map(({ definition }) => definition.name)).not.toContain(
      'hourglass_completeness_check_timestamp_seconds',
    );
  });
});

describe('docs/metrics.md', () => {
  const documented = readFileSync(join(projectRoot, 'docs/metrics.md'), 'utf8')
    .split('\n')
    .filter((line) => /^\| `hourglass_[a-z_]+` \| (gauge|counter) /.test(line));

  test('lists every metric with its type, its labels and what it says, and no other', () => {
    const rows = Object.values(metricDefinitions).map(
      ({ name, type, labels, help }) =>
        `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help} |`,
    );
    expect([...documented].sort()).toEqual([...rows].sort());
  });

  test('every metric that is listed is collected', async () => {
    const ofProcess = createProcessMetrics({ buildId: 'b', roles: ['control'], isReady: () => true })();
    const business = new Set((await collected()).map(({ definition }) => definition.name));
    const missing = Object.values(metricDefinitions).filter(
      ({ name }) =>
        !business.has(name) && !ofProcess.includes(`\n${name}`) && name !== 'hourglass_metrics_group_up',
    );
    expect(missing).toEqual([]);
  });
});
