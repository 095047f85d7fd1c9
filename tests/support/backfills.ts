/** Backfills on a stack of a test's own: how they are started, and what the tables must hold afterwards. */
import type { WorkflowHandle } from '@temporalio/client';
import { taskQueues } from '../../domain/task-queues.ts';
import type { MockCity } from '../../mock/cities.ts';
import { observationTimeOfHour } from '../../mock/publication.ts';
import { defaultStepSeconds, type MockWeather, weatherAt } from '../../mock/weather.ts';
import type { BackfillInputOfWorkflow } from '../../schemas/backfill.ts';
import type { BackfillResult } from '../../workflows/backfill.ts';
import type { OwnStack } from './own-stack.ts';
import { rowDifferences } from './row-differences.ts';
import { type HourOfTruth, hoursOfTruth, rowOfTruth } from './truth.ts';

const HOUR_SECONDS = 3_600;

/** As somebody starts it from the Temporal UI. @returns what it came to */
export const runBackfill = (
  stack: OwnStack,
  workflowId: string,
  input: BackfillInputOfWorkflow,
): Promise<BackfillResult> =>
  stack.withTemporal(async (client) => {
    const handle: WorkflowHandle = await client.workflow.start('backfill', {
      ...{ workflowId, taskQueue: taskQueues.control, args: [input] },
      ...{ workflowIdConflictPolicy: 'USE_EXISTING', workflowIdReusePolicy: 'ALLOW_DUPLICATE' },
    });
    return (await handle.result()) as BackfillResult;
  });

/** What the mock's history holds of the hours in [from, to), one observation each. */
export function historyOfTruth(
  seed: string,
  cities: readonly MockCity[],
  from: Date,
  to: Date,
): readonly MockWeather[] {
  const stepSeconds = defaultStepSeconds;
  return cities.flatMap((city) => {
    const found: MockWeather[] = [];
    for (let hour = from.getTime() / 1_000; hour < to.getTime() / 1_000; hour += HOUR_SECONDS) {
      const dt = observationTimeOfHour({ seed, cityId: city.id, stepSeconds }, hour);
      if (dt !== undefined) found.push(weatherAt({ seed, city, atSeconds: dt, stepSeconds }));
    }
    return found;
  });
}

const iso = (value: unknown): string => (value as Date).toISOString();

/** What of the past is told by the source's history alone: it has no visibility. */
function rowOfHistory(weather: MockWeather): Record<string, unknown> {
  const { visibility: _, ...row } = rowOfTruth(weather);
  return row;
}

/** How the tables in [from, to) differ from these observations and their hours. */
export async function differencesFrom(
  stack: OwnStack,
  truth: readonly MockWeather[],
  from: Date,
  to: Date,
): Promise<readonly string[]> {
  const within = (column: string): string =>
    `${column} >= '${from.toISOString()}' and ${column} < '${to.toISOString()}'`;
  const rows = await stack.sql<Record<string, unknown>>(
    `select * from observations where ${within('observed_at')}`,
  );
  const hours = await stack.sql<HourOfTruth & Record<string, unknown>>(
    `select * from weather_hourly where ${within('window_start')}`,
  );
  const withoutOrigin = hoursOfTruth(truth).map(({ origin: _, ...hour }) => hour);
  return [
    ...rowDifferences(rows, truth.map(rowOfHistory), (row) => `${row['city_id']} ${iso(row['observed_at'])}`),
    ...rowDifferences(hours, withoutOrigin, (row) => `hour ${row['city_id']} ${iso(row['window_start'])}`),
  ];
}
