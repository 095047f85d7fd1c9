/**
 * Selects dead letters that are to be replayed, judges them anew, and writes down what became of them. What follows from a
 * judgement is decided in `domain/dead-letter-replay.ts`; publishing and waiting are the activities'.
 */
import {
  decideReplay,
  ownerByPlace,
  placeText,
  type RecordPlace,
  type ReplayDecision,
  type ReplayedLetter,
  type ReplayOutcome,
  type RowOwner,
} from '../domain/dead-letter-replay.ts';
import { HourglassError } from '../domain/errors.ts';
import type { Inspection } from '../domain/record-accounts.ts';
import type { PipelineDefinition } from '../schemas/pipeline.ts';
import type { ReplaySelection } from '../schemas/workflow-inputs.ts';
import type { KafkaClient } from './kafka.ts';
import type { Queries } from './postgres.ts';
import type { InspectRecord } from './record-accounts.ts';

export interface DeadLetterDoors {
  readonly database: Queries;
  readonly kafka: Pick<KafkaClient, 'read' | 'watermarks'>;
}

/** A dead letter as far as its replay needs it. */
export interface Letter extends ReplayedLetter {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly replayedAt: Date | null;
}

/** Thrown for a topic whose records never become dead letters of the pipeline. */
export class NoDeadLetterTopicError extends HourglassError {
  constructor(topic: string, pipeline: string, known: readonly string[]) {
    super(
      'NO_DEAD_LETTER_TOPIC',
      `The pipeline ${pipeline} has no dead letters of a topic "${topic}"; there are: ${known.join(', ')}.`,
    );
  }
}

export interface LetterQuestion {
  readonly selection: ReplaySelection;
  readonly outcomes: readonly string[];
  /** Letters that were seen later are another replay's. */
  readonly before: Date;
  /** The last letter of the batch before. */
  readonly after: RecordPlace | undefined;
}

/** So many letters, and so many bytes of them, are held in memory at once. */
const BATCH = { letters: 1_000, bytes: 8 * 1_024 * 1_024 } as const;

/** The next batch of a selection, in the order of places; empty behind its end. @throws NoDeadLetterTopicError */
export async function nextLetters(
  database: Queries,
  pipeline: PipelineDefinition,
  { selection, outcomes, before, after }: LetterQuestion,
): Promise<readonly Letter[]> {
  const { since, until } = selection;
  const rows = await database.query<LetterRow>('dead-letters-to-replay', [
    topicsOf(pipeline, selection.topic),
    selection.partition ?? null,
    selection.offset ?? null,
    since === undefined ? null : new Date(since),
    until === undefined ? before : new Date(Math.min(Date.parse(until), before.getTime())),
    outcomes,
    after?.topic ?? null,
    after?.partition ?? null,
    after?.offset ?? null,
    BATCH.letters,
    BATCH.bytes,
  ]);
  return rows.map(letterOf);
}

function topicsOf({ name, topics }: PipelineDefinition, wanted: string | undefined): readonly string[] {
  const known = [topics.live, topics.repairs, topics.history, topics.deadLetters].map(({ name }) => name);
  if (wanted === undefined) return known;
  if (!known.includes(wanted)) throw new NoDeadLetterTopicError(wanted, name, known);
  return [wanted];
}

interface LetterRow {
  readonly topic: string;
  readonly partition_id: number;
  readonly record_offset: number;
  readonly key: Buffer | null;
  readonly raw_bytes: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly outcome: ReplayOutcome | null;
  readonly replayed_at: Date | null;
  readonly replayed_to_topic: string | null;
  readonly replayed_to_partition: number | null;
  readonly replayed_to_offset: number | null;
}

function letterOf(row: LetterRow): Letter {
  const { replayed_to_topic: topic, replayed_to_partition: partition, replayed_to_offset: offset } = row;
  return {
    topic: row.topic,
    partition: row.partition_id,
    offset: row.record_offset,
    key: row.key,
    value: row.raw_bytes,
    headers: row.headers,
    outcome: row.outcome,
    replayedAt: row.replayed_at,
    replayedTo:
      topic === null || partition === null || offset === null ? undefined : { topic, partition, offset },
  };
}

export interface InspectedLetter {
  readonly letter: Letter;
  readonly inspection: Inspection;
  readonly owner: RowOwner;
}

/** What the contract says of letters that are published at that time, and whose the rows with their keys are. */
export async function inspectLetters(
  doors: DeadLetterDoors,
  { name, topics }: PipelineDefinition,
  inspect: InspectRecord,
  letters: readonly Letter[],
  publishedAt: (letter: Letter) => Date,
): Promise<readonly InspectedLetter[]> {
  const inspected = letters.map((letter) => ({
    letter,
    inspection: inspect({ ...letter, publishedAt: publishedAt(letter) }),
  }));
  const rows = await rowsOf(
    doors.database,
    name,
    inspected.map(({ inspection }) => inspection),
  );
  const owners = inspected.map(({ letter }, index) =>
    ownerByPlace(letter, rows.get(index), topics.repairs.name),
  );
  const unknown = owners.flatMap((owner, index) => (owner === 'unknown' ? [index] : []));
  const origins = await originsAt(
    doors.kafka,
    topics.repairs.name,
    unknown.flatMap((index) => rows.get(index) ?? []),
  );
  return inspected.map(({ letter, inspection }, index) => {
    const owner = owners[index] ?? 'none';
    if (owner !== 'unknown') return { letter, inspection, owner };
    const row = rows.get(index);
    const origin = row === undefined ? undefined : origins.get(placeText(row));
    return { letter, inspection, owner: origin === placeText(letter) ? 'own' : 'other' };
  });
}

export interface PlannedLetter {
  readonly letter: Letter;
  readonly decision: ReplayDecision;
}

/** What is to happen to letters that are replayed now. */
export async function planReplay(
  doors: DeadLetterDoors,
  pipeline: PipelineDefinition,
  inspect: InspectRecord,
  letters: readonly Letter[],
  now: Date,
): Promise<readonly PlannedLetter[]> {
  const inspected = await inspectLetters(doors, pipeline, inspect, letters, () => now);
  return inspected.map(({ letter, ...judged }) => ({
    letter,
    decision: decideReplay({
      ...judged,
      outcome: letter.outcome,
      // In another topic the header is a producer's own.
      replayOf: letter.topic === pipeline.topics.repairs.name ? letter.headers['replay_of'] : undefined,
    }),
  }));
}

/** The places of the rows with these keys, by the index of the question. */
async function rowsOf(
  database: Queries,
  pipeline: string,
  inspections: readonly Inspection[],
): Promise<ReadonlyMap<number, RecordPlace>> {
  const keys = inspections.map((inspection) => (inspection.kind === 'fits' ? inspection : undefined));
  if (keys.every((key) => key === undefined)) return new Map();
  const rows = await database.query<{
    place: number;
    topic: string;
    partition_id: number;
    record_offset: number;
  }>(
    'stored-places',
    [keys.map((key) => key?.entityId ?? null), keys.map((key) => key?.observedAt ?? null)],
    pipeline,
  );
  return new Map(
    rows.map(({ place, topic, partition_id, record_offset }) => [
      place,
      { topic, partition: partition_id, offset: record_offset },
    ]),
  );
}

/** Which letters the records at these places replay, by their header; of what has left the topic nothing is known. */
async function originsAt(
  kafka: DeadLetterDoors['kafka'],
  topic: string,
  places: readonly RecordPlace[],
): Promise<ReadonlyMap<string, string>> {
  const origins = new Map<string, string>();
  if (places.length === 0) return origins;
  const marks = await kafka.watermarks(topic);
  const ranges = places.flatMap(({ partition, offset }) => {
    const mark = marks.find((each) => each.partition === partition);
    const isThere = mark !== undefined && mark.low <= offset && offset < mark.high;
    return isThere ? [{ partition, first: offset, end: offset + 1 }] : [];
  });
  await kafka.read(topic, ranges, async (records) => {
    for (const { partition, offset, headers } of records) {
      const origin = headers['replay_of'];
      if (origin !== undefined) origins.set(placeText({ topic, partition, offset }), origin);
    }
  });
  return origins;
}

export interface LetterOutcome {
  readonly letter: RecordPlace;
  readonly outcome: ReplayOutcome;
  readonly reason?: string | null;
  /** Where the replay published it. */
  readonly replayedTo?: RecordPlace | undefined;
}

const MOST_CHARACTERS = 1_000;

/** @param run what the workflow that replays is known by */
export async function recordOutcomes(
  database: Queries,
  run: string,
  outcomes: readonly LetterOutcome[],
): Promise<void> {
  if (outcomes.length === 0) return;
  await database.query('record-dead-letter-outcomes', [
    run,
    outcomes.map(({ letter }) => letter.topic),
    outcomes.map(({ letter }) => letter.partition),
    outcomes.map(({ letter }) => letter.offset),
    outcomes.map(({ outcome }) => outcome),
    // PostgreSQL's texts cannot hold the NUL character, which a reason may quote.
    outcomes.map(({ reason }) => reason?.replaceAll('\u0000', '␀').slice(0, MOST_CHARACTERS) ?? null),
    outcomes.map(({ replayedTo }) => replayedTo?.topic ?? null),
    outcomes.map(({ replayedTo }) => replayedTo?.partition ?? null),
    outcomes.map(({ replayedTo }) => replayedTo?.offset ?? null),
  ]);
}
