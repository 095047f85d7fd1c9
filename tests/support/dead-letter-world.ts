/** Dead letters, a Kafka, a table and a stream in memory, for the activities that replay: each part can fail or stand still. */
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import kafkajs from 'kafkajs';
import {
  createDeadLetterActivities,
  type StretchInput,
  type StretchResult,
} from '../../activities/dead-letters.ts';
import { KafkaRequestError, type OutgoingRecord } from '../../clients/kafka.ts';
import type { OffsetRange } from '../../clients/kafka-reader.ts';
import type { InspectRecord } from '../../clients/record-accounts.ts';
import { placeText, type RecordPlace, type ReplayOutcome } from '../../domain/dead-letter-replay.ts';
import { weather } from '../../pipelines/weather/definition.ts';
import type { PipelineDefinition } from '../../schemas/pipeline.ts';
import { replayInputSchema } from '../../schemas/workflow-inputs.ts';
import { fakeDatabase } from './fake-database.ts';

const pipeline: PipelineDefinition = { ...weather, name: 'weather' };
const { live } = pipeline.topics;
const run = 'a-run';

export interface WorldLetter extends RecordPlace {
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
  outcome: ReplayOutcome | null;
  reason: string | null;
  replayedTo: RecordPlace | undefined;
  replayedBy: string | null;
}

interface StreamRecord extends OutgoingRecord, RecordPlace {}

interface World {
  readonly letters: WorldLetter[];
  /** The repairs topic. */
  readonly published: StreamRecord[];
  /** The table: by entity, the record that its row came from. */
  readonly rows: Map<number, RecordPlace>;
  /** Up to where the stream has read. */
  committed: number;
  isStreamAway: boolean;
  /** Each look at the clock takes a second. */
  now: number;
  /** Entities that the stream passes over. */
  readonly swallowed: Set<number>;
  inspect: InspectRecord;
  /** Is called before anything is asked of the database or of Kafka, and may throw. */
  onAsk(what: string): void;
  /** Reads all that was published. */
  stream(): void;
}

/** `good` followed by an entity's number is accepted, until somebody says otherwise; anything else is poison. */
const contract: InspectRecord = ({ value }) => {
  const [, id] = /^good (\d+)/.exec(String(value)) ?? [];
  return id === undefined
    ? { kind: 'poison', reason: `It is ${value === null ? 'empty' : `"${value}"`}.` }
    : { kind: 'fits', entityId: Number(id), observedAt: new Date(0) };
};

export function deadLetterWorld(values: readonly (string | null)[]) {
  const letters: WorldLetter[] = values.map((value, offset) => ({
    ...{ topic: live.name, partition: 0, offset, headers: { source: 'mock', reason: 'why' } },
    value: value === null ? null : Buffer.from(value),
    ...{ outcome: null, reason: null, replayedTo: undefined, replayedBy: null },
  }));
  const published: World['published'] = [];
  const rows: World['rows'] = new Map();
  const world: World = {
    ...{
      letters,
      published,
      rows,
      committed: 0,
      isStreamAway: false,
      now: Date.parse('2026-01-01T00:00:00Z'),
    },
    swallowed: new Set<number>(),
    inspect: contract,
    onAsk: () => undefined,
    stream(): void {
      if (world.isStreamAway) return;
      for (const record of published.slice(world.committed)) {
        const id = Number(record.key);
        if (!world.swallowed.has(id) && !rows.has(id)) rows.set(id, record);
      }
      world.committed = published.length;
    },
  };
  const database = createDatabase(world);
  const kafka = createKafka(world);
  const activities = createDeadLetterActivities({
    ...{ database, kafka, pipelines: { weather: pipeline }, pollMs: 1 },
    contracts: { weather: (record) => world.inspect(record) },
    now: () => {
      world.now += 1_000;
      return new Date(world.now);
    },
  });
  const call = async (
    name: 'publishDeadLetters' | 'settleDeadLetters',
    selection: object,
    from?: RecordPlace,
  ) => {
    const environment = new MockActivityEnvironment(
      from === undefined ? undefined : { heartbeatDetails: from },
      { logger: new DefaultLogger('ERROR') },
    );
    const input: StretchInput & { until: string } = {
      ...{ selection: replayInputSchema.parse({ pipeline: 'weather', ...selection }), run },
      before: '2030-01-01T00:00:00Z',
      until: new Date(world.now + 20_000).toISOString(),
    };
    return environment.run<[typeof input], StretchResult, (given: typeof input) => Promise<StretchResult>>(
      activities[name],
      input,
    );
  };
  return Object.assign(world, {
    database,
    publish: (selection: object = { all: true }, from?: RecordPlace) =>
      call('publishDeadLetters', selection, from),
    settle: (selection: object = { all: true }) => call('settleDeadLetters', selection),
    async replay(selection: object = { all: true }) {
      await call('publishDeadLetters', selection);
      const { counts } = await call('settleDeadLetters', selection);
      return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
    },
    outcomes: () => letters.map(({ outcome }) => outcome),
  });
}

/** The queries of `sql/queries`, as far as the activities can tell. */
function createDatabase(world: World) {
  const { letters, rows } = world;
  const database = fakeDatabase({
    'dead-letters-to-replay': ([topics, partition, offset, , , outcomes, topic, , after, limit]) =>
      letters
        .filter(
          (letter) =>
            (topics as string[]).includes(letter.topic) &&
            (partition === null || partition === letter.partition) &&
            (offset === null || offset === letter.offset) &&
            (outcomes as string[]).includes(letter.outcome ?? 'none') &&
            (topic === null || letter.offset > Number(after)),
        )
        .slice(0, Math.min(3, Number(limit)))
        .map((letter) => ({
          ...{ topic: letter.topic, partition_id: letter.partition, record_offset: letter.offset },
          ...{ key: null, raw_bytes: letter.value, headers: letter.headers, outcome: letter.outcome },
          replayed_at: letter.outcome === null ? null : new Date(0),
          replayed_to_topic: letter.replayedTo?.topic ?? null,
          replayed_to_partition: letter.replayedTo?.partition ?? null,
          replayed_to_offset: letter.replayedTo?.offset ?? null,
        })),
    'stored-places': ([ids]) =>
      (ids as (number | null)[]).flatMap((id, place) => {
        const row = id === null ? undefined : rows.get(id);
        return row === undefined
          ? []
          : [{ place, topic: row.topic, partition_id: row.partition, record_offset: row.offset }];
      }),
    'record-dead-letter-outcomes': (parameters) => {
      const [by, topics, partitions, offsets, outcomes, reasons, toTopics, toPartitions, toOffsets] =
        parameters as [string, ...unknown[][]];
      for (const [index, topic] of (topics ?? []).entries()) {
        const place = { topic, partition: partitions?.[index], offset: offsets?.[index] } as RecordPlace;
        const letter = letters.find((each) => placeText(each) === placeText(place));
        if (letter === undefined || letter.outcome === 'stored') continue;
        const to = { topic: toTopics?.[index], partition: toPartitions?.[index], offset: toOffsets?.[index] };
        letter.outcome = outcomes?.[index] as ReplayOutcome;
        letter.reason = reasons?.[index] as string | null;
        letter.replayedTo = to.topic === null ? undefined : (to as RecordPlace);
        letter.replayedBy = by;
      }
      return [];
    },
    'dead-letter-outcomes-of-run': ([by]) =>
      [...new Set(letters.map(({ outcome }) => outcome))].map((outcome) => ({
        outcome,
        letters: letters.filter((each) => each.replayedBy === by && each.outcome === outcome).length,
      })),
  });
  const { query } = database;
  return {
    ...database,
    query: async (name: string, parameters?: readonly unknown[]) => {
      const [outcome] = name.startsWith('record') ? ((parameters?.[4] ?? []) as string[]) : [];
      world.onAsk(outcome === undefined ? name : `${name} ${outcome}`);
      return query(name, parameters);
    },
  } as typeof database;
}

/** One partition; what a producer was told is what is there. */
function createKafka(world: World) {
  const { published } = world;
  return {
    async publish(topic: string, records: readonly OutgoingRecord[]) {
      world.onAsk('publish');
      if (records.some(({ value }) => value.length > 2_000_000))
        throw new KafkaRequestError(
          'publish a record',
          new kafkajs.KafkaJSNonRetriableError('it is too large'),
        );
      return records.map((record) => {
        published.push({ ...record, topic, partition: 0, offset: published.length });
        return { partition: 0, offset: published.length - 1 };
      });
    },
    async committedOffsets() {
      world.onAsk('committed');
      world.stream();
      return new Map([[0, world.committed]]);
    },
    watermarks: async () => [{ partition: 0, low: 0, high: published.length }],
    async read(
      _topic: string,
      ranges: readonly OffsetRange[],
      onRecords: (records: never[]) => Promise<void>,
    ): Promise<void> {
      world.onAsk('read');
      const wanted = published.filter(({ offset }) => ranges.some(({ first }) => first === offset));
      await onRecords(wanted as never[]);
    },
  };
}
