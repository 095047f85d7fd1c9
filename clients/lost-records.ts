/**
 * Looks into a pipeline's log for records that were published and are not stored. Only what the stream has read is looked at: the rest is not
 * lost, but on its way.
 */
import { countOf } from '../domain/backfill-offsets.ts';
import { HOUR_MS } from '../domain/backfill-windows.ts';
import { type Window, windowKey } from '../domain/completeness-blocks.ts';
import type { LogReading } from '../domain/completeness-evidence.ts';
import type { JudgedRange } from '../domain/completeness-ranges.ts';
import {
  COMPLETENESS_VERDICTS,
  type CompletenessVerdict,
  completenessVerdicts,
  VERDICTS_TO_REPAIR,
} from '../domain/completeness-verdicts.ts';
import type { PublishedRecord } from './completeness-ledger.ts';
import type { KafkaClient } from './kafka.ts';
import type { KafkaRecord, OffsetRange } from './kafka-reader.ts';
import type { Queries } from './postgres.ts';
import type { InspectRecord, RecordContract } from './record-accounts.ts';

export interface LogDoors {
  readonly database: Queries;
  readonly kafka: Pick<KafkaClient, 'offsetsAt' | 'watermarks' | 'read'>;
}

/** A window of which the log may tell more. */
export interface UnexplainedWindow extends Window {
  /** Places of records that were found to be lost before. */
  readonly published: readonly {
    readonly topic: string;
    readonly partition: number;
    readonly offset: number;
  }[];
}

export interface ExplainingQuestion extends JudgedRange {
  readonly pipeline: string;
  readonly entities?: readonly number[];
}

/** So many windows are looked for at once: their keys are held in memory. */
export const MOST_WINDOWS_SOUGHT = 20_000;

/** Windows that need repair and that the log may explain, the oldest first. */
export const unexplainedWindows = (
  database: Queries,
  question: ExplainingQuestion,
): Promise<readonly UnexplainedWindow[]> => windowsOf(database, question, VERDICTS_TO_REPAIR, false);

const NOT_GOOD = COMPLETENESS_VERDICTS.filter((verdict) => !completenessVerdicts[verdict].isGood);

/** Windows of which the log has told before that something is published and not stored, with its places. */
export const explainedWindows = (
  database: Queries,
  question: ExplainingQuestion,
): Promise<readonly UnexplainedWindow[]> => windowsOf(database, question, NOT_GOOD, true);

async function windowsOf(
  database: Queries,
  { pipeline, from, to, entities }: ExplainingQuestion,
  verdicts: readonly CompletenessVerdict[],
  isExplained: boolean,
): Promise<readonly UnexplainedWindow[]> {
  const rows = await database.query<{
    entity_id: number;
    window_start: Date;
    published: UnexplainedWindow['published'];
  }>('windows-to-explain', [
    pipeline,
    from,
    to,
    verdicts,
    entities ?? null,
    MOST_WINDOWS_SOUGHT,
    isExplained,
  ]);
  return rows.map((row) => ({
    entityId: row.entity_id,
    windowStart: row.window_start,
    published: row.published,
  }));
}

/** Clocks differ: a record may be published so long before the time that it tells … */
const EARLIEST_MS = 10 * 60_000;
/** … and a source that tells an observation later than this tells it late. */
const LATEST_MS = 3 * HOUR_MS;

/** A topic, and whether what it holds was published as it came, or at any time later: what was fetched, repaired or replayed. */
export interface SearchedTopic {
  readonly name: string;
  readonly isLive: boolean;
}

/** What may have been published of a range of hours, as far as the topic still holds it; none of an empty partition. */
export async function rangesAround(
  kafka: LogDoors['kafka'],
  { name, isLive }: SearchedTopic,
  { from, to }: JudgedRange,
): Promise<readonly OffsetRange[]> {
  const marks = await kafka.watermarks(name);
  const starts = await kafka.offsetsAt(name, new Date(from.getTime() - EARLIEST_MS));
  const ends = isLive
    ? await kafka.offsetsAt(name, new Date(to.getTime() + LATEST_MS))
    : new Map<number, number>();
  return marks.flatMap(({ partition, low, high }) => {
    const first = Math.max(low, starts.get(partition) ?? low);
    const end = Math.min(high, ends.get(partition) ?? high);
    return end > first ? [{ partition, first, end }] : [];
  });
}

/** Everything the topic holds. */
export async function wholeLog(kafka: LogDoors['kafka'], topic: string): Promise<readonly OffsetRange[]> {
  const marks = await kafka.watermarks(topic);
  return marks.flatMap(({ partition, low, high }) =>
    high > low ? [{ partition, first: low, end: high }] : [],
  );
}

/** Whether each partition still holds all that may have been published of an hour and the time after it. */
export async function reachesBackTo(kafka: LogDoors['kafka'], topic: string, from: Date): Promise<boolean> {
  const starts = await kafka.offsetsAt(topic, new Date(from.getTime() - EARLIEST_MS));
  const marks = await kafka.watermarks(topic);
  return marks.every(({ partition, low }) => low === 0 || (starts.get(partition) ?? low) > low);
}

/** The places that were found before, as ranges of single offsets joined where they touch, by topic. */
export function rangesOfPlaces(
  windows: readonly UnexplainedWindow[],
): ReadonlyMap<string, readonly OffsetRange[]> {
  const byTopic = new Map<string, { partition: number; first: number; end: number }[]>();
  const places = windows.flatMap(({ published }) => published);
  for (const { topic, partition, offset } of places.toSorted(inOrder)) {
    const ranges = byTopic.get(topic) ?? [];
    byTopic.set(topic, ranges);
    const open = ranges.at(-1);
    if (open?.partition === partition && open.end >= offset) open.end = Math.max(open.end, offset + 1);
    else ranges.push({ partition, first: offset, end: offset + 1 });
  }
  return byTopic;
}

type Place = UnexplainedWindow['published'][number];
const inOrder = (one: Place, other: Place): number =>
  one.partition - other.partition || one.offset - other.offset;

export interface LookInto {
  readonly topic: string;
  readonly ranges: readonly OffsetRange[];
  /** Up to where the log reached, and the stream had read, when the check began. */
  readonly reading: readonly LogReading[];
  readonly windows: readonly Window[];
  readonly contract: RecordContract;
}

/** So many records are read for one answer, and so many of them are named in it. */
const MOST_READ = 20_000_000;
const MOST_NAMED = 5_000;

export interface Look {
  readonly lost: readonly PublishedRecord[];
  /** False when there was more than one answer holds: what is not named may be lost all the same. */
  readonly isWhole: boolean;
}

/** Records in these offsets that fit the contract, belong to one of the windows, and have no row. What has expired is passed over. */
export async function lookForLost(
  { database, kafka }: LogDoors,
  { topic, ranges, reading, windows, contract }: LookInto,
): Promise<Look> {
  const wanted = new Set(windows.map(windowKey));
  const lost: PublishedRecord[] = [];
  const marks = await kafka.watermarks(topic);
  const readable = ranges.flatMap(({ partition, first, end }) => {
    const { low = 0, high = 0 } = marks.find((mark) => mark.partition === partition) ?? {};
    const read = reading.find((one) => one.topic === topic && one.partition === partition)?.committed ?? 0;
    const bounded = { partition, first: Math.max(first, low), end: Math.min(end, high, read) };
    return bounded.end > bounded.first ? [bounded] : [];
  });
  const limited = withinLimit(readable, MOST_READ);
  await kafka.read(topic, limited, async (records) => {
    const own = records.flatMap((record) => ownOf(record, contract.inspect, wanted));
    if (own.length === 0 || lost.length > MOST_NAMED) return;
    const rows = await database.query<{ place: number }>(
      'stored-keys',
      [own.map(({ entityId }) => entityId), own.map(({ observedAt }) => observedAt)],
      contract.pipeline,
    );
    const stored = new Set(rows.map(({ place }) => place));
    for (const [place, { record, entityId, windowStart }] of own.entries())
      if (!stored.has(place))
        lost.push({ entityId, windowStart, topic, partition: record.partition, offset: record.offset });
  });
  const isRead = countOf(limited) === countOf(readable);
  return { lost: lost.slice(0, MOST_NAMED), isWhole: isRead && lost.length <= MOST_NAMED };
}

function ownOf(record: KafkaRecord, inspect: InspectRecord, wanted: ReadonlySet<string>) {
  const inspection = inspect(record);
  if (inspection.kind !== 'fits') return [];
  const { entityId, observedAt } = inspection;
  const windowStart = new Date(Math.floor(observedAt.getTime() / HOUR_MS) * HOUR_MS);
  return wanted.has(windowKey({ entityId, windowStart }))
    ? [{ record, entityId, observedAt, windowStart }]
    : [];
}

/** As much of the ranges, from the first on, as holds so many offsets. */
function withinLimit(ranges: readonly OffsetRange[], most: number): readonly OffsetRange[] {
  let left = most;
  return ranges.flatMap(({ partition, first, end }) => {
    const taken = Math.min(left, end - first);
    left -= taken;
    return taken > 0 ? [{ partition, first, end: first + taken }] : [];
  });
}
