/** Derives every id from what it stands for, so that a retry finds what the first try began. */
import { fnv1a128 } from './fnv1a.ts';

export const jobActorId = (job: string): string => `flink-job/${job}`;

/** A dry run of a version, and an upgrade by a candidate of it: one at a time. */
export const tryVersionId = (job: string, version: string): string => `try-version/${job}/${version}`;
export const shadowUpgradeId = (job: string, version: string): string => `shadow-upgrade/${job}/${version}`;

/** A run of a batch job, named by what it loads: `batch-job/recompute-hours/from=2026-01-31T00:00:00Z,to=2026-02-01T00:00:00Z`. */
export function batchJobId(job: string, parameters: Readonly<Record<string, string>>): string {
  const values = Object.entries(parameters).map(([name, value]) => `${name}=${value}`);
  return ['batch-job', job, ...(values.length === 0 ? [] : [values.sort().join(',')])].join('/');
}

/** A replay of dead letters, named by what it selects: `replay-dead-letters/weather/partition=0,topic=weather.observations.v1`. */
export function deadLetterReplayId(
  pipeline: string,
  selection: Readonly<Record<string, string | number | boolean>>,
): string {
  const values = Object.entries(selection).map(([name, value]) => `${name}=${value}`);
  return ['replay-dead-letters', pipeline, values.sort().join(',')].join('/');
}

/** The server appends the nominal time to the id of a run that a schedule starts. */
export const ingestScheduleId = (pipeline: string, source: string, shard: number): string =>
  `ingest/${pipeline}/${source}/${shard}`;

export const recordsScheduleId = (pipeline: string): string => `account-for-records/${pipeline}`;

/** Runs of it, and the windows it judges, are a pipeline's. */
export const completenessScheduleId = (pipeline: string): string => `completeness/${pipeline}`;

/** Looks whether the check above runs. */
export const completenessWatchScheduleId = (pipeline: string): string => `watch-completeness/${pipeline}`;

export const partitionsScheduleId = 'maintain-partitions';

/** The workflow type of the smoke gate, whose runs say nothing of the system's own work. */
export const SMOKE_TEST = 'smokeTest';

export const smokeTestId = (buildId: string): string => `smoke-test/${buildId}`;

/** So many zero bytes behind the text carry a difference in its last one into every digit: Flink names savepoints by the first six. */
const MIXING_BYTES = 16;

/** The id that Flink knows a job, or a trigger, by: 32 hexadecimal digits of what it stands for. */
export function flinkId(standsFor: string): string {
  const text = new TextEncoder().encode(standsFor);
  const bytes = new Uint8Array(text.length + MIXING_BYTES);
  bytes.set(text);
  return fnv1a128(bytes).toString(16).padStart(32, '0');
}
