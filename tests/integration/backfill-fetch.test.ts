import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createBackfillFetchActivities, type FetchedChunk } from '../../activities/backfill-fetch.ts';
import { createBackfillFileActivities, type FileStretch } from '../../activities/backfill-file.ts';
import { backfillOf, storePlan } from '../../clients/backfill-ledger.ts';
import { planFor } from '../../clients/backfill-planning.ts';
import { chunkOf, chunksOf, recordChunks } from '../../clients/chunk-ledger.ts';
import type { KafkaRecord } from '../../clients/kafka-reader.ts';
import { countOf, type OffsetRanges } from '../../domain/backfill-offsets.ts';
import { HOUR_MS } from '../../domain/backfill-windows.ts';
import { type Mock, startMock } from '../../mock/server.ts';
import { defaultStepSeconds, type MockWeather } from '../../mock/weather.ts';
import { backfillFacts } from '../../pipelines/backfill-facts.ts';
import { leaseTerms } from '../../pipelines/openweathermap-plans.ts';
import { weather } from '../../pipelines/weather/definition.ts';
import { createWeatherLineReader } from '../../pipelines/weather/file.ts';
import { createWeatherSource } from '../../pipelines/weather/source.ts';
import { type BackfillRequestInput, backfillRequestSchema } from '../../schemas/backfill.ts';
import { historyOfTruth } from '../support/backfills.ts';
import { eventually } from '../support/eventually.ts';
import { fakeCallBudget } from '../support/fake-call-budget.ts';
import { createIsolatedPipeline, type IsolatedPipeline } from '../support/isolated-pipeline.ts';
import { seedCities } from '../support/many-cities.ts';
import { temporaryDirectories } from '../support/temporary-directories.ts';

/** Chunks and files on the real ledger and topics, with the mock as the source; nothing loads what is published. */
const SEED = 'fetched and published';
const CITIES = seedCities().slice(0, 3);
const terms = leaseTerms('free', 0.5);
const temporaryDirectory = temporaryDirectories();
/** So that some hours of the range are the stream's and others not. */
const to = new Date(Math.floor(Date.now() / HOUR_MS) * HOUR_MS - 2 * HOUR_MS);
const from = new Date(to.getTime() - 60 * HOUR_MS);
const truth = historyOfTruth(SEED, CITIES, from, to);

let pipeline: IsolatedPipeline;
let mock: Mock;
let source: ReturnType<typeof createWeatherSource>;

beforeAll(async () => {
  mock = await startMock({ port: 0, seed: SEED, stepSeconds: defaultStepSeconds, cities: CITIES });
  const addresses = { baseUrl: mock.url, historyUrl: mock.url };
  source = createWeatherSource({ ...addresses, apiKey: 'mock', timeoutMs: 5_000 });
  pipeline = await createIsolatedPipeline('backfill-fetch');
  for (const { name } of Object.values(pipeline.topics))
    await eventually(
      `${name} tells its offsets`,
      () => pipeline.kafka.watermarks(name),
      () => true,
    );
  for (const { id, name, country, lat, lon } of CITIES)
    await pipeline.sql.query(
      `insert into locations (city_id, name, country, lat, lon, timezone, min_observations_per_hour, active_from)
       values ($1, $2, $3, $4, $5, 'UTC', 1, '2020-01-01')`,
      [id, name, country, lat, lon],
    );
});
afterAll(async () => {
  await pipeline?.close();
  await mock?.close();
});

async function planned(request: Partial<BackfillRequestInput>): Promise<string> {
  const facts = backfillFacts(weather, source.history, terms);
  const range = { pipeline: 'weather', from: from.toISOString(), to: to.toISOString() };
  const parsed = backfillRequestSchema.parse({ ...range, ...request });
  return (await storePlan(pipeline.database, await planFor(pipeline.database, parsed, facts, new Date()))).id;
}

const shared = () => ({
  ...{ database: pipeline.database, kafka: pipeline.kafka, pipelines: { weather: pipeline.definition } },
  ...{ sources: { weather: source }, sourceName: 'mock', budgets: { weather: fakeCallBudget() } },
  ...{ concurrency: 8, now: () => new Date(), logger: { warn: () => undefined } },
});
const environment = () => new MockActivityEnvironment(undefined, { logger: new DefaultLogger('ERROR') });

async function recordsAt(topic: string, offsets: OffsetRanges): Promise<readonly KafkaRecord[]> {
  const found: KafkaRecord[] = [];
  await pipeline.kafka.read(topic, offsets, async (records) => void found.push(...records));
  return found;
}

const idOf = ({ id, dt }: { readonly id: number; readonly dt: number }): string => `${id} ${dt}`;
const idsOf = (observations: readonly MockWeather[]): readonly string[] => observations.map(idOf).sort();
const idsIn = (records: readonly KafkaRecord[]): readonly string[] =>
  records.map(({ value }) => idOf(JSON.parse(String(value)))).sort();

describe('a backfill from the history of the source', () => {
  test('publishes the records of the hours that are missing and no others, where its chunks say', async () => {
    const [first] = CITIES;
    const complete = truth.filter(({ id }) => id === first?.id).slice(5, 10);
    await pipeline.sql.query(
      `insert into observations (city_id, observed_at, topic, partition_id, record_offset, published_at)
       select $1, to_timestamp(dt), 't', 0, 0, now() from unnest($2::bigint[]) as dt`,
      [first?.id, complete.map(({ dt }) => dt)],
    );
    const id = await planned({});
    const { fetchChunk } = createBackfillFetchActivities(shared());
    const published: Record<'stream' | 'batch', KafkaRecord[]> = { stream: [], batch: [] };
    for (const { key, path } of await chunksOf(pipeline.database, id)) {
      const run = () => environment().run(fetchChunk, { backfillId: id, key }) as Promise<FetchedChunk>;
      const fetched = await run();
      expect(fetched.failures).toBe(0);
      expect(countOf(fetched.offsets)).toBe(fetched.records);
      expect(await chunkOf(pipeline.database, id, key)).toMatchObject({
        ...{ status: 'published', records: fetched.records, offsets: fetched.offsets, attempts: 1 },
      });
      expect(await run()).toEqual(fetched);
      const { repairs, history } = pipeline.topics;
      const records = await recordsAt((path === 'stream' ? repairs : history).name, fetched.offsets);
      for (const { headers } of records)
        expect(headers).toMatchObject({ backfill: id, chunk: key, revision: '0', source: 'mock' });
      published[path].push(...records);
    }
    const missing = truth.filter((each) => !complete.includes(each));
    expect(idsIn([...published.stream, ...published.batch])).toEqual(idsOf(missing));
    expect(published.stream.length).toBeGreaterThan(0);
    expect(published.batch.length).toBeGreaterThan(0);
    const [key, body] = [published.batch[0]?.key, JSON.parse(String(published.batch[0]?.value))];
    expect(String(key)).toBe(String(body.id));
    expect(body).toMatchObject({ name: CITIES.find((city) => city.id === body.id)?.name });
  });
});

describe('a backfill from a file', () => {
  test('publishes the lines of its windows, and a malformed one as a dead letter with its number', async () => {
    const file = join(temporaryDirectory(), 'observations.ndjson.gz');
    const lines = truth.map((each) => JSON.stringify(each));
    lines.splice(1, 0, '{"id": "nobody"}');
    writeFileSync(file, gzipSync(lines.join('\n')));
    // The last ten hours are not asked for.
    const end = new Date(to.getTime() - 10 * HOUR_MS);
    const id = await planned({ input: 'file', file, reprocess: 'all', to: end.toISOString() });
    await recordChunks(pipeline.database, { backfillId: id, event: 'begun' });
    const { publishFile } = createBackfillFileActivities({
      ...shared(),
      lineReaders: { weather: createWeatherLineReader },
    });
    const before = { line: 0, published: 0, skipped: 0, malformed: 0 };
    const input = { backfillId: id, from: before };
    const stretch = (await environment().run(publishFile, input)) as FileStretch;
    const batch = await recordsAt(pipeline.topics.history.name, stretch.batch);
    const stream = await recordsAt(pipeline.topics.repairs.name, stretch.stream);
    const wanted = (await chunksOf(pipeline.database, id)).reduce((sum, each) => sum + each.windowCount, 0);
    expect(stretch).toMatchObject({
      ...{ isEnd: true },
      at: { line: lines.length, published: wanted, skipped: truth.length - wanted, malformed: 1 },
    });
    expect(batch.length + stream.length).toBe(wanted);
    const ids = idsIn([...batch, ...stream]);
    expect(ids).toEqual(idsOf(truth.filter((each) => ids.includes(idOf(each)))));
    expect(ids.every((each) => Number(each.split(' ')[1]) < end.getTime() / 1_000)).toBe(true);
    const { file: position, createdAt } = await backfillOf(pipeline.database, id);
    expect(position).toEqual(stretch.at);
    const revision = String(Math.floor(createdAt.getTime() / 1_000));
    expect(batch[0]?.headers).toMatchObject({ backfill: id, revision });
    const marks = await pipeline.kafka.watermarks(pipeline.topics.deadLetters.name);
    const ranges = marks.map(({ partition, low, high }) => ({ partition, first: low, end: high }));
    const [letter] = await recordsAt(pipeline.topics.deadLetters.name, ranges);
    expect(String(letter?.value)).toBe('{"id": "nobody"}');
    expect(letter?.headers).toMatchObject({ line: '2', file, backfill: id });
    expect(letter?.headers['reason']).toMatch(/^line 2: /);
  });
});
