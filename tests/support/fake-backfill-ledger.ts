/** One backfill with its chunks, its registry and its topics in memory, as far as fetching and publishing need them. */
import type { KafkaClient, OutgoingRecord } from '../../clients/kafka.ts';
import { PostgresError } from '../../clients/postgres.ts';
import type { WindowPath } from '../../domain/backfill-chunks.ts';
import type { chunkStates } from '../../domain/backfill-states.ts';
import { weather } from '../../pipelines/weather/definition.ts';
import { type BackfillRequestInput, backfillRequestSchema } from '../../schemas/backfill.ts';
import { fakeDatabase } from './fake-database.ts';

export const BACKFILL = 'weather-2026-01-01';
export const createdAt = new Date('2026-03-01T00:00:07.900Z');

export interface FakeChunk {
  readonly key: string;
  readonly path: WindowPath;
  readonly firstDay: string;
  /** By id, one set of hours for each day. */
  readonly hours: Readonly<Record<number, readonly number[]>>;
  status?: keyof typeof chunkStates;
  attempts?: number;
  records?: number | null;
  offsets?: unknown;
  failures?: readonly { readonly entityId: number; readonly reason: string }[];
}

export interface FakeLedgerOptions {
  readonly request?: Partial<BackfillRequestInput>;
  readonly chunks: readonly FakeChunk[];
  /** Ids that the registry has; those of the chunks unless told. */
  readonly registered?: readonly number[];
}

export function fakeBackfillLedger({ request = {}, chunks: given, registered }: FakeLedgerOptions) {
  const chunks = new Map(given.map((chunk, position) => [chunk.key, { ...chunk, position }]));
  const ids = registered ?? given.flatMap(({ hours }) => Object.keys(hours).map(Number));
  const files: unknown[] = [];
  const backfill = {
    ...{ backfill_id: BACKFILL, repeat: 1, status: 'running', windows: 1, skipped: {}, chunks: chunks.size },
    ...{ chunks_by_status: {}, calls: 1, seconds: 1, workflow_id: 'w', file: null, created_at: createdAt },
    ...{ started_at: null, ended_at: null, error: null },
    request: backfillRequestSchema.parse({
      ...{ pipeline: 'weather', from: '2026-01-01T00:00:00Z', to: '2026-02-01T00:00:00Z', ...request },
    }),
  };
  const database = fakeDatabase({
    'list-backfills': ([, id]) => (id === BACKFILL ? [backfill] : []),
    'backfill-chunks': ([, key]) =>
      [...chunks.values()].filter((chunk) => key === null || chunk.key === key).map(rowOf),
    'lock-backfill-chunk': ([, key]) => {
      const chunk = chunks.get(String(key));
      return chunk === undefined ? [] : [{ status: chunk.status ?? 'pending' }];
    },
    'record-backfill-chunk': ([, key, status, isBegun, , records, , offsets, failures]) => {
      const chunk = chunks.get(String(key));
      if (chunk === undefined) throw new PostgresError('record-backfill-chunk', { code: '02000' });
      Object.assign(chunk, { status, attempts: (chunk.attempts ?? 0) + (isBegun === true ? 1 : 0) });
      if (records !== null) chunk.records = records as number;
      if (offsets !== null) chunk.offsets = JSON.parse(String(offsets));
      if (failures !== null) chunk.failures = JSON.parse(String(failures));
      return [];
    },
    'registered-locations': ([wanted]) =>
      ids
        .filter((id) => wanted === null || (wanted as number[]).includes(id))
        .map((id) => ({ entity_id: id, name: `Place ${id}`, country: 'NO', lat: 59.9, lon: 10.7 })),
    'record-backfill-file': ([, position]) => {
      files.push(JSON.parse(String(position)));
      return [];
    },
  });
  return {
    ...{ database, files, ...fakeTopics() },
    chunk: (key: string) => chunks.get(key) as FakeChunk,
  };
}

const rowOf = ({ key, path, firstDay, hours, position, ...rest }: FakeChunk & { position: number }) => ({
  ...{ chunk_key: key, path, position, window_count: 1, calls: 1, error: null },
  ...{ status: rest.status ?? 'pending', attempts: rest.attempts ?? 0, records: rest.records ?? null },
  ...{ offsets: rest.offsets ?? null, failures: rest.failures ?? [], started_at: null, finished_at: null },
  windows: {
    firstDay,
    entities: Object.entries(hours).map(([id, ofEntity]) => ({ id: Number(id), hours: ofEntity })),
  },
});

/** Topics of one partition each; the first record of a test stands at offset 100. */
function fakeTopics() {
  const topics: Record<string, OutgoingRecord[]> = {};
  const batches: number[] = [];
  let refuse: (topic: string, batch: number) => Promise<void> | void = () => undefined;
  const kafka: Pick<KafkaClient, 'publish'> = {
    async publish(topic, records) {
      if (records.length === 0) return [];
      await refuse(topic, batches.push(records.length));
      topics[topic] ??= [];
      const known = topics[topic];
      const first = 100 + known.length;
      for (const record of records) known.push(record);
      return records.map((_, index) => ({ partition: 0, offset: first + index }));
    },
  };
  const { repairs, history, deadLetters } = weather.topics;
  return {
    ...{ kafka, batches },
    /** Called before each batch, with its number from 1 on; what it throws publishing throws. */
    onPublish(work: typeof refuse): void {
      refuse = work;
    },
    repairs: () => topics[repairs.name] ?? [],
    history: () => topics[history.name] ?? [],
    refused: () => topics[deadLetters.name] ?? [],
  };
}
