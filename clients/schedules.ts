/**
 * The door to Temporal's schedules: how those of the server differ from those declared (`declared-schedules.ts`), and bringing
 * them there. What is not the system's own is never touched.
 */
import {
  type Client,
  ScheduleAlreadyRunning,
  type ScheduleDescription,
  ScheduleNotFoundError,
  type ScheduleOptions,
} from '@temporalio/client';
import pMap from 'p-map';
import { judgeSchedule, type ScheduleVerdict } from '../domain/schedule-differences.ts';
import { declaredSchedules, isOurs, type ScheduleScope } from './declared-schedules.ts';
import { scheduleFacts } from './schedule-facts.ts';

/** What the server says of a schedule's life. */
export interface ScheduleRecord {
  readonly isPaused: boolean;
  readonly note: string | undefined;
  readonly nextAt: Date | undefined;
  readonly taken: number;
  /** An earlier run was still open. */
  readonly skipped: number;
  /** The server, or the schedule, was away for longer than the catchup window. */
  readonly missed: number;
}

export interface ScheduleComparison {
  readonly scheduleId: string;
  readonly verdict: ScheduleVerdict;
  /** Undefined for one that is missing. */
  readonly record: ScheduleRecord | undefined;
}

const CONCURRENT_CALLS = 8;

/** Every declared schedule, then those of ours that are not declared any more. */
export async function compareSchedules(
  client: Client,
  scope: ScheduleScope,
): Promise<readonly ScheduleComparison[]> {
  const declared = new Map(declaredSchedules(scope).map((schedule) => [schedule.scheduleId, schedule]));
  const ids = [...declared.keys(), ...(await undeclared(client, scope.source, declared))];
  const compared = await pMap(ids, (scheduleId) => compare(client, scheduleId, declared.get(scheduleId)), {
    concurrency: CONCURRENT_CALLS,
  });
  return compared.flatMap((comparison) => comparison ?? []);
}

async function undeclared(
  client: Client,
  source: string,
  declared: ReadonlyMap<string, unknown>,
): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { scheduleId, action } of client.schedule.list()) {
    const workflowType = action?.workflowType;
    if (!declared.has(scheduleId) && isOurs({ scheduleId, workflowType }, source)) found.push(scheduleId);
  }
  return found.sort();
}

/** @returns undefined for one that is neither declared nor there: the server's list lags behind */
async function compare(
  client: Client,
  scheduleId: string,
  declared: ScheduleOptions | undefined,
): Promise<ScheduleComparison | undefined> {
  const there = await describe(client, scheduleId);
  if (declared === undefined && there === undefined) return undefined;
  return {
    scheduleId,
    verdict: judgeSchedule(declared && scheduleFacts(declared), there && scheduleFacts(there)),
    record: there && recordOf(there),
  };
}

async function describe(client: Client, scheduleId: string): Promise<ScheduleDescription | undefined> {
  try {
    return await client.schedule.getHandle(scheduleId).describe();
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return undefined;
    throw error;
  }
}

const recordOf = ({ state, info }: ScheduleDescription): ScheduleRecord => ({
  isPaused: state.paused,
  note: state.note === '' ? undefined : state.note,
  nextAt: info.nextActionTimes[0],
  taken: info.numActionsTaken,
  skipped: info.numActionsSkippedOverlap,
  missed: info.numActionsMissedCatchupWindow,
});

/** Makes what is missing, updates what differs, deletes what is not declared any more. @returns what it found, before it mended */
export async function applySchedules(
  client: Client,
  scope: ScheduleScope,
): Promise<readonly ScheduleComparison[]> {
  const comparisons = await compareSchedules(client, scope);
  const declared = new Map(declaredSchedules(scope).map((schedule) => [schedule.scheduleId, schedule]));
  await pMap(
    comparisons,
    ({ scheduleId, verdict }) => mend(client, scheduleId, verdict, declared.get(scheduleId)),
    { concurrency: CONCURRENT_CALLS },
  );
  return comparisons;
}

/** Those that are not as declared. */
export const differing = (comparisons: readonly ScheduleComparison[]): readonly ScheduleComparison[] =>
  comparisons.filter(({ verdict }) => verdict.kind !== 'as_declared');

async function mend(
  client: Client,
  scheduleId: string,
  { kind }: ScheduleVerdict,
  declared: ScheduleOptions | undefined,
): Promise<void> {
  const handle = client.schedule.getHandle(scheduleId);
  try {
    if (declared === undefined) await handle.delete();
    else if (kind === 'missing') await client.schedule.create(declared);
    // Whether it is paused is the user's decision and stays.
    else if (kind === 'differs') await handle.update(({ state }) => ({ ...declared, state }));
  } catch (error) {
    // Another start, or command, has done it meanwhile.
    const isDone =
      (declared === undefined && error instanceof ScheduleNotFoundError) ||
      (kind === 'missing' && error instanceof ScheduleAlreadyRunning);
    if (!isDone) throw error;
  }
}
