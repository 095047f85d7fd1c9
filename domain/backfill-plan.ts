/**
 * Decides what a backfill loads: each window of its range is created or skipped, for exactly one reason. It knows no pipeline; cutting
 * into chunks is left to `domain/backfill-chunks.ts`, saying no to a plan to `domain/backfill-refusals.ts`, storing it to
 * `clients/backfill-ledger.ts`.
 */
import type { BackfillInput, BackfillRequest, ReprocessMode } from '../schemas/backfill.ts';
import { type BackfillChunk, type ChunkTerms, cutChunks, type WindowPath } from './backfill-chunks.ts';
import { backfillId, backfillRequestKey } from './backfill-identities.ts';
import {
  ALL_HOURS,
  countHours,
  type DayHours,
  dayNumberOf,
  type EntityDay,
  type Hours,
  hoursWithin,
  NO_HOURS,
} from './backfill-windows.ts';

/** What a pipeline's definition and its source's plan say. */
export interface BackfillFacts {
  /** How long after its end a window belongs to the stream. */
  readonly streamOwnsMs: number;
  /** How far back each input reaches; null for one without an end. */
  readonly horizonMs: Readonly<Record<BackfillInput, number | null>>;
  /** The longest span that is fetched at once, and how many calls that may take. */
  readonly hoursPerSpan: number;
  readonly callsPerSpan: number;
  /** What the backfill may use of the calls. */
  readonly callsPerMinute: number;
}

export interface RunningBackfill {
  readonly id: string;
  readonly request: BackfillRequest;
  /** Windows of its chunks that have not ended. */
  readonly remaining: readonly DayHours[];
}

export interface PlanInput {
  readonly request: BackfillRequest;
  /** Each entity on each day of the range, in any order, each once. */
  readonly days: Iterable<EntityDay>;
  readonly now: Date;
  readonly facts: BackfillFacts;
  readonly running: readonly RunningBackfill[];
  /** 1, and one more for each identical backfill that has ended before. */
  readonly repeat: number;
}

/** What is the same for all entities of a day. */
interface DayFrame {
  readonly inRange: Hours;
  readonly over: Hours;
  readonly streamOwned: Hours;
  readonly inReach: Hours;
}

interface SkipRule {
  readonly description: string;
  /** Which hours it applies to, of those that no rule before it applied to. */
  readonly hours: (day: EntityDay, frame: DayFrame, reprocess: ReprocessMode) => Hours;
}

/** Why a window is skipped: the first rule that applies, in this order. Negated sets hold bits beyond the day; a range cuts them off. */
export const skipReasons = {
  not_over_yet: {
    description: 'The hour is not over yet.',
    hours: (_, { over }) => ~over,
  },
  not_expected: {
    description: 'The hour does not lie wholly between active_from and active_to of its location.',
    hours: ({ expected }) => ~expected,
  },
  complete: {
    description: 'The hour has as many stored observations as its location is to have.',
    hours: ({ complete }, _, reprocess) => (reprocess === 'all' ? NO_HOURS : complete),
  },
  stream_owned: {
    description:
      'The hour is complete and still owned by the stream, which would overwrite what is loaded anew.',
    hours: ({ complete }, { streamOwned }, reprocess) =>
      reprocess === 'all' ? complete & streamOwned : NO_HOURS,
  },
  not_failed: {
    description: 'No backfill has failed at the hour, and only such hours are to be loaded.',
    hours: ({ failed }, _, reprocess) => (reprocess === 'failed' ? ~failed : NO_HOURS),
  },
  under_repair: {
    description: 'A repair that has not ended is to load the hour.',
    hours: ({ underRepair }) => underRepair,
  },
  beyond_horizon: {
    description: 'The hour lies further back than the input reaches.',
    hours: (_, { inReach }) => ~inReach,
  },
} as const satisfies Record<string, SkipRule>;
export type SkipReason = keyof typeof skipReasons;
export const SKIP_REASONS = Object.keys(skipReasons) as readonly SkipReason[];

/** The windows of one entity and day that lie in the range: each in exactly one of these sets. */
export interface JudgedDay {
  readonly entityId: number;
  readonly day: string;
  readonly create: Readonly<Record<WindowPath, Hours>>;
  readonly skip: Readonly<Record<SkipReason, Hours>>;
}

/** Every window of the range with what becomes of it. A day is judged when it is asked for, so that no list is held. */
export function* judgeDays({
  request,
  days,
  now,
  facts,
}: Pick<PlanInput, 'request' | 'days' | 'now' | 'facts'>): Generator<JudgedDay> {
  const frames = new Map<string, DayFrame>();
  for (const day of days) {
    const frame = frames.get(day.day) ?? frameOf(day.day, request, now, facts);
    frames.set(day.day, frame);
    yield judgeDay(day, frame, request);
  }
}

function frameOf(
  day: string,
  { from, to, input }: BackfillRequest,
  now: Date,
  facts: BackfillFacts,
): DayFrame {
  const number = dayNumberOf(day);
  const nowMs = now.getTime();
  return {
    inRange: hoursWithin(number, Date.parse(from), Date.parse(to)),
    over: hoursWithin(number, Number.NEGATIVE_INFINITY, nowMs),
    streamOwned: ALL_HOURS & ~hoursWithin(number, Number.NEGATIVE_INFINITY, nowMs - facts.streamOwnsMs),
    inReach: hoursWithin(number, horizonStartMs(input, nowMs, facts), Number.POSITIVE_INFINITY),
  };
}

/** Windows that begin before it are beyond the input's horizon. */
export function horizonStartMs(input: BackfillInput, nowMs: number, { horizonMs }: BackfillFacts): number {
  return nowMs - (horizonMs[input] ?? Number.POSITIVE_INFINITY);
}

function judgeDay(day: EntityDay, frame: DayFrame, { input, reprocess }: BackfillRequest): JudgedDay {
  let left = frame.inRange;
  const skip = {} as Record<SkipReason, Hours>;
  for (const reason of SKIP_REASONS) {
    const rule: SkipRule = skipReasons[reason];
    skip[reason] = left & rule.hours(day, frame, reprocess);
    left &= ~skip[reason];
  }
  // What comes from the log was read by the stream before: published again, its deduplication would swallow it.
  const stream = input === 'kafka' ? NO_HOURS : left & frame.streamOwned;
  return { entityId: day.entityId, day: day.day, create: { stream, batch: left & ~stream }, skip };
}

export interface Overlap {
  readonly id: string;
  /** How many windows both are to load. */
  readonly windows: number;
}

export interface BackfillPlan {
  readonly id: string;
  readonly request: BackfillRequest;
  readonly repeat: number;
  readonly created: Readonly<Record<WindowPath, number>>;
  readonly skipped: Readonly<Record<SkipReason, number>>;
  /** In the order in which they are to be loaded. */
  readonly chunks: readonly BackfillChunk[];
  readonly calls: number;
  /** What the calls take at the rate the backfill may use; 0 where none is made. */
  readonly seconds: number;
  /** A running backfill that was asked for the same: nothing new is to be started. */
  readonly attachTo: string | undefined;
  /** Running backfills that are to load some of the same windows. */
  readonly overlaps: readonly Overlap[];
  /** Asked for by id, and not in the registry. */
  readonly unknownEntities: readonly number[];
}

/** A plan for whatever was asked; the same for the same input. Whether it may be run is `refusalOf`'s to say. */
export function planBackfill(input: PlanInput): BackfillPlan {
  const { request, facts, running, repeat } = input;
  const windows: Record<WindowPath, DayHours[]> = { stream: [], batch: [] };
  const skipped = Object.fromEntries(SKIP_REASONS.map((reason) => [reason, 0])) as Record<SkipReason, number>;
  const known = new Set<number>();
  for (const { entityId, day, create, skip } of judgeDays(input)) {
    known.add(entityId);
    for (const reason of SKIP_REASONS) skipped[reason] += countHours(skip[reason]);
    for (const path of ['stream', 'batch'] as const)
      if (create[path] !== NO_HOURS) windows[path].push({ entityId, day, hours: create[path] });
  }
  const chunks = chunksOf(windows, { ...facts, input: request.input, order: request.order });
  const calls = chunks.reduce((sum, chunk) => sum + chunk.calls, 0);
  const key = backfillRequestKey(request);
  const same = running.find((other) => backfillRequestKey(other.request) === key);
  const created = [...windows.stream, ...windows.batch];
  return {
    id: backfillId(request, repeat),
    request,
    repeat,
    created: { stream: windowsIn(chunks, 'stream'), batch: windowsIn(chunks, 'batch') },
    skipped,
    chunks,
    calls,
    seconds: (calls * 60) / Math.max(1, facts.callsPerMinute),
    attachTo: same?.id,
    overlaps: overlapsOf(
      created,
      running.filter((other) => other !== same),
    ),
    unknownEntities: (request.entities ?? []).filter((id) => !known.has(id)),
  };
}

/** The stream's hours are the newest; a chunk never holds both. */
function chunksOf(
  windows: Readonly<Record<WindowPath, readonly DayHours[]>>,
  terms: ChunkTerms,
): readonly BackfillChunk[] {
  const [first, second]: readonly [WindowPath, WindowPath] =
    terms.order === 'newest' ? ['stream', 'batch'] : ['batch', 'stream'];
  const chunks = cutChunks(windows[first], first, terms, 0);
  return [...chunks, ...cutChunks(windows[second], second, terms, chunks.length)];
}

const windowsIn = (chunks: readonly BackfillChunk[], path: WindowPath): number =>
  chunks.reduce((sum, chunk) => sum + (chunk.path === path ? chunk.windowCount : 0), 0);

/** Which of the running backfills are still to load some of these windows, and how many. */
export function overlapsOf(
  windows: readonly DayHours[],
  running: readonly Pick<RunningBackfill, 'id' | 'remaining'>[],
): readonly Overlap[] {
  const wanted = new Map<string, Hours>();
  const keyOf = ({ entityId, day }: DayHours): string => `${day}/${entityId}`;
  if (running.some(({ remaining }) => remaining.length > 0))
    for (const window of windows)
      wanted.set(keyOf(window), (wanted.get(keyOf(window)) ?? NO_HOURS) | window.hours);
  return running.flatMap(({ id, remaining }) => {
    // Several chunks of one backfill may share a day, never an hour.
    const both = remaining.reduce(
      (sum, window) => sum + countHours(window.hours & (wanted.get(keyOf(window)) ?? NO_HOURS)),
      0,
    );
    return both > 0 ? [{ id, windows: both }] : [];
  });
}
