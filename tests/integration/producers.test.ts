import { execFile } from 'node:child_process';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Kafka, logLevel, type Message } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { kafkaBrokers } from '../../config/addresses.ts';
import { projectRoot } from '../../config/load.ts';
import { eventually } from '../support/eventually.ts';
import { createIsolatedPipeline, type IsolatedPipeline } from '../support/isolated-pipeline.ts';
import { ensureKcat } from '../support/kcat.ts';
import { config } from '../support/shared-stack.ts';
import { temporaryDirectories } from '../support/temporary-directories.ts';

/** docs/producers.md on the real stack: its examples as they stand there, and what it claims. */
const document = readFileSync(join(projectRoot, 'docs/producers.md'), 'utf8');
const temporaryDirectory = temporaryDirectories();
const execute = promisify(execFile);

let pipeline: IsolatedPipeline;
beforeAll(async () => {
  pipeline = await createIsolatedPipeline('producers');
  await pipeline.start();
});
afterAll(() => pipeline?.close());

function codeBlock(language: string): string {
  const blocks = [...document.matchAll(/^```(\w+)\n(.*?)^```$/gms)].filter(([, name]) => name === language);
  expect(blocks, `one block of ${language} in docs/producers.md`).toHaveLength(1);
  return blocks[0]?.[2] ?? '';
}

/** Runs a program in `directory` with nothing of this process's environment but what a shell has. */
async function runExample(directory: string, command: string, args: readonly string[]): Promise<void> {
  const { PATH = '', HOME = '' } = process.env;
  await execute(command, [...args], {
    cwd: directory,
    env: {
      PATH,
      HOME,
      KAFKA_BROKERS: kafkaBrokers(config).join(','),
      WEATHER_TOPIC: pipeline.topics.live.name,
    },
    timeout: 60_000,
  });
}

type Row = Readonly<Record<string, unknown>>;

const rowsOf = (table: string, cityId: number): Promise<Row[]> =>
  pipeline.rows<Row>(`select * from ${table} where city_id = ${cityId}`);

const untilStored = async (cityId: number): Promise<{ observation: Row; hour: Row }> => {
  const stored = async (table: string): Promise<Row> => {
    const [row] = await eventually(
      `${table} has a row of ${cityId}`,
      () => rowsOf(table, cityId),
      ({ length }) => length === 1,
    );
    return row as Row;
  };
  return { observation: await stored('observations'), hour: await stored('weather_hourly') };
};

const hourOf = (at: unknown): Date => new Date(Math.floor(Number(at) / 3_600_000) * 3_600_000);

describe('the examples of docs/producers.md', () => {
  test('kcat publishes an observation that becomes a row and changes its hour', async () => {
    await ensureKcat((sentence) => process.stderr.write(`  ${sentence}\n`));
    const directory = temporaryDirectory();
    await runExample(directory, 'bash', ['-c', codeBlock('bash')]);
    const sent = JSON.parse(readFileSync(join(directory, 'observation.json'), 'utf8'));
    const schema = JSON.parse(
      readFileSync(join(projectRoot, 'docs/contract/observation.schema.json'), 'utf8'),
    );
    expect(z.fromJSONSchema(schema).safeParse(sent).error).toBeUndefined();
    const { observation, hour } = await untilStored(sent.id);
    expect(observation).toMatchObject({
      observed_at: new Date(sent.dt * 1_000),
      city_name: sent.name,
      country: sent.sys.country,
      lon: sent.coord.lon,
      lat: sent.coord.lat,
      temp: sent.main.temp,
      humidity: sent.main.humidity,
      pressure: sent.main.pressure,
      wind_speed: sent.wind.speed,
      wind_direction: sent.wind.deg,
      wind_gust: sent.wind.gust,
      clouds: sent.clouds.all,
      rain_1h: sent.rain['1h'],
      snow_1h: null,
      condition_id: sent.weather[0].id,
      conditions: sent.weather,
      rejected_values: null,
    });
    expect(hour).toMatchObject({
      window_start: hourOf(sent.dt * 1_000),
      observation_count: '1',
      temp_avg: sent.main.temp,
      humidity_max: sent.main.humidity,
      pressure_min: sent.main.pressure,
      wind_avg: sent.wind.speed,
      gust_max: sent.wind.gust,
      clouds_avg: sent.clouds.all,
      rain_mm: sent.rain['1h'],
    });
  });

  test('kafkajs publishes an observation that becomes a row and changes its hour', async () => {
    const directory = temporaryDirectory();
    symlinkSync(join(projectRoot, 'node_modules'), join(directory, 'node_modules'));
    writeFileSync(join(directory, 'publish.mjs'), codeBlock('js'));
    await runExample(directory, process.execPath, ['publish.mjs']);
    const { observation, hour } = await untilStored(9_000_002);
    expect(observation).toMatchObject({
      city_name: 'Harbour',
      temp: 7.5,
      humidity: 71,
      wind_speed: 9.8,
      pressure: null,
      rain_1h: null,
    });
    expect(hour).toMatchObject({
      window_start: hourOf(observation['observed_at']),
      observation_count: '1',
      temp_avg: 7.5,
      humidity_avg: 71,
      wind_max: 9.8,
      rain_mm: null,
    });
  });

  test('both carry the headers that they show, and kcat’s key leads to our own partition', async () => {
    const records = new Map<string, { partition: number; headers: Readonly<Record<string, string>> }>();
    const ends = await pipeline.kafka.watermarks(pipeline.topics.live.name);
    const ranges = ends.map(({ partition, low, high }) => ({ partition, first: low, end: high }));
    await pipeline.kafka.read(pipeline.topics.live.name, ranges, async (read) => {
      for (const { key, partition, headers } of read) records.set(String(key), { partition, headers });
    });
    expect(records.get('9000001')?.headers).toEqual({ source: 'mock', pipeline: 'weather' });
    expect(records.get('9000002')?.headers).toEqual({
      source: 'mock',
      pipeline: 'weather',
      fetched_at: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    const body = JSON.stringify({ id: 9_000_001, dt: 1_700_000_000, main: { temp: 1 } });
    await pipeline.publish([{ cityId: 9_000_001, body }]);
    const rows = await eventually(
      'the second observation is stored',
      () => rowsOf('observations', 9_000_001),
      ({ length }) => length === 2,
    );
    expect(rows.map(({ partition_id }) => partition_id)).toEqual(
      Array(2).fill(records.get('9000001')?.partition),
    );
  });
});

const dt = Math.floor(Date.now() / 1_000) - 60;
const minimal = (id: number) => ({ id, dt, main: { temp: 1 } });

interface Claim {
  readonly says: string;
  /** The record's value, or what is other than in the least document. */
  readonly send: (id: number) => object | string | Buffer;
  readonly message?: Partial<Message>;
  /** The columns of each row that comes of it. */
  readonly stored: readonly Row[];
}

const text = (value: object): string => JSON.stringify(value);

const claims: readonly Claim[] = [
  { says: 'id, dt and one measurement are enough', send: () => ({}), stored: [{ temp: 1 }] },
  {
    says: 'without a key and headers',
    send: () => ({}),
    message: { key: null, headers: {} },
    stored: [{ temp: 1 }],
  },
  {
    says: 'the value names the city, not the key',
    send: () => ({}),
    message: { key: '1' },
    stored: [{ temp: 1 }],
  },
  { says: '1900 is accepted', send: () => ({ dt: -2_208_988_800 }), stored: [{ temp: 1 }] },
  { says: 'null counts as absent', send: () => ({ name: null, wind: null }), stored: [{ city_name: null }] },
  {
    says: 'of rain only the hour’s is stored',
    send: () => ({ main: { pressure: 1_000 }, rain: { '3h': 3 } }),
    stored: [{ rain_1h: null, pressure: 1_000 }],
  },
  {
    says: 'a text that is a number is the number',
    send: (id) => ({ id: String(id), dt: `${dt}.0`, main: { temp: ' 12.5 ', humidity: '1e1' } }),
    stored: [{ temp: 12.5, humidity: 10 }],
  },
  {
    says: 'NaN and Infinity lie in no range',
    send: () => ({ main: { temp: 'NaN', humidity: 'Infinity' } }),
    stored: [
      {
        temp: null,
        rejected_values: {
          temp: { value: 'NaN', range: [-90, 60] },
          humidity: { value: 'Infinity', range: [0, 100] },
        },
      },
    ],
  },
  {
    says: 'what is no number counts as absent',
    send: () => ({ main: { temp: 'warm', humidity: true, pressure: {}, feels_like: '', temp_min: 7 } }),
    stored: [{ temp: null, humidity: null, pressure: null, temp_min: 7, rejected_values: null }],
  },
  {
    says: 'what is no text is stored as its JSON',
    send: () => ({ name: 5, sys: { country: { a: 1 } } }),
    stored: [{ city_name: '5', country: '{"a":1}' }],
  },
  {
    says: 'a group that is no object counts as absent',
    send: () => ({
      wind: 'strong',
      clouds: [1],
      rain: 5,
      snow: true,
      coord: 'x',
      sys: [1],
      weather: { id: 1 },
    }),
    stored: [
      { temp: 1, wind_speed: null, clouds: null, rain_1h: null, lon: null, country: null, conditions: null },
    ],
  },
  {
    says: 'the id of a condition loses its fraction',
    send: () => ({ weather: [{ id: 800.5, main: 'Clear' }] }),
    stored: [{ condition_id: 800, condition: 'Clear' }],
  },
  {
    says: 'each of an array is read, what is none among them leaves nothing',
    send: (id) => text([minimal(id), 7, { id: 0 }, { ...minimal(id), dt: dt - 1 }]),
    stored: [{ observed_at: new Date((dt - 1) * 1_000) }, { observed_at: new Date(dt * 1_000) }],
  },
  {
    says: 'what follows a document is ignored',
    send: (id) => `${text(minimal(id))} and\n${text({ ...minimal(id), dt: dt - 1 })}`,
    stored: [{ observed_at: new Date(dt * 1_000) }],
  },
  { says: 'a byte order mark is skipped', send: (id) => `\ufeff${text(minimal(id))}`, stored: [{ temp: 1 }] },
  { says: 'UTF-16 is read', send: (id) => Buffer.from(text(minimal(id)), 'utf16le'), stored: [{ temp: 1 }] },
  {
    says: 'an unpaired surrogate is stored as ?',
    send: () => ({ name: 'a\ud800b' }),
    stored: [{ city_name: 'a?b' }],
  },
  {
    says: 'of a name that occurs twice the last counts',
    send: (id) => `{"id":5,"id":${id},"dt":${dt},"main":{"temp":1},"main":{"temp":2}}`,
    stored: [{ temp: 2 }],
  },
  {
    says: 'a thousand digits are too many',
    send: (id) => text(minimal(id)).replace('"temp":1', `"temp":1.${'1'.repeat(1_001)}`),
    stored: [],
  },
  {
    says: 'a producer’s own timestamp is not used',
    send: () => ({ dt: dt + 60 }),
    message: { timestamp: '1000' },
    stored: [{ observed_at: new Date((dt + 60) * 1_000) }],
  },
  {
    says: 'an observation of years ago is stored',
    send: () => ({ dt: Date.UTC(2013, 1, 3, 4, 5, 6) / 1_000 }),
    stored: [{ observed_at: new Date('2013-02-03T04:05:06Z') }],
  },
  {
    says: 'of one id and dt the first is stored',
    send: () => ({ main: { temp: 1 } }),
    stored: [{ temp: 1 }],
  },
  {
    says: 'a record of nearly 2 MiB is read',
    send: () => ({ x: 'y'.repeat(2_000_000) }),
    stored: [{ temp: 1 }],
  },
];
const FIRST_ID = 9_100_000;
const idOf = (says: string): number => FIRST_ID + claims.findIndex((claim) => claim.says === says);

describe('what docs/producers.md claims', () => {
  beforeAll(async () => {
    for (const [index, { send, message }] of claims.entries()) {
      const id = FIRST_ID + index;
      const given = send(id);
      const value =
        typeof given === 'string' || Buffer.isBuffer(given) ? given : text({ ...minimal(id), ...given });
      await pipeline.send([{ key: String(id), value, headers: { source: 'mock' }, ...message }]);
    }
    const first = idOf('of one id and dt the first is stored');
    await pipeline.send([{ key: String(first), value: text({ ...minimal(first), main: { temp: 2 } }) }]);
    const lenient = idOf('what follows a document is ignored');
    await pipeline.send([{ key: String(lenient), value: `${text(minimal(lenient))} and more` }]);
    await pipeline.untilRead();
  });

  test.each(claims)('$says', async ({ says, stored }) => {
    const rows = await pipeline.rows<Row>(
      `select * from observations where city_id = ${idOf(says)} order by observed_at`,
    );
    expect(rows).toMatchObject(stored);
    const latest = Date.now() + 1_000;
    for (const { published_at } of rows) {
      expect(Number(published_at)).toBeGreaterThan(dt * 1_000);
      expect(Number(published_at)).toBeLessThan(latest);
    }
  });

  test('every record is stored, a duplicate or a dead letter, and the query shows the dead letter', async () => {
    const { read, stored, duplicates, deadLetters } = await pipeline.accountForRecords();
    expect({ duplicates, deadLetters, rest: read - stored }).toEqual({
      duplicates: 1,
      deadLetters: 2,
      rest: 3,
    });
    const query = codeBlock('sql').replace('weather.observations.v1', pipeline.topics.live.name);
    expect(await pipeline.rows<Row>(query)).toMatchObject([
      {
        key: String(idOf('what follows a document is ignored')),
        reason: expect.stringContaining('not JSON'),
      },
      {
        key: String(idOf('a thousand digits are too many')),
        reason: expect.stringContaining('passed it over'),
      },
    ]);
  });

  test('what a transaction withdraws was never published', async () => {
    const kafka = new Kafka({ brokers: [...kafkaBrokers(config)], logLevel: logLevel.NOTHING });
    const producer = kafka.producer({
      transactionalId: pipeline.id,
      idempotent: true,
      maxInFlightRequests: 1,
    });
    const topic = pipeline.topics.live.name;
    const [withdrawn, kept] = [FIRST_ID + claims.length + 1, FIRST_ID + claims.length + 2];
    const messages = (id: number) => [{ partition: 0, key: String(id), value: text(minimal(id)) }];
    const endOfPartition = async (): Promise<number> =>
      (await pipeline.kafka.watermarks(topic)).find(({ partition }) => partition === 0)?.high ?? 0;
    const before = await endOfPartition();
    try {
      await producer.connect();
      const first = await producer.transaction();
      await first.send({ topic, messages: messages(withdrawn) });
      await first.abort();
      const second = await producer.transaction();
      await second.send({ topic, messages: messages(kept) });
      await second.commit();
    } finally {
      await producer.disconnect();
    }
    // The markers are written after the producer has its answer. Flink does not pass a marker behind which there is no record.
    await eventually('two records and two markers are written', endOfPartition, (end) => end === before + 4);
    await pipeline.send(messages(kept));
    await pipeline.untilRead();
    expect(await rowsOf('observations', withdrawn)).toEqual([]);
    expect(await rowsOf('observations', kept)).toHaveLength(1);
    expect(await pipeline.accountForRecords()).toMatchObject({ stored: 1, duplicates: 1, deadLetters: 0 });
  });

  test('any compression may be used', async () => {
    await ensureKcat((sentence) => process.stderr.write(`  ${sentence}\n`));
    const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];
    const directory = temporaryDirectory();
    const ids = codecs.map((_, index) => FIRST_ID + 1_000 + index);
    for (const [index, codec] of codecs.entries()) {
      const id = ids[index] ?? 0;
      // The poison behind the observation shows that the search for dead letters reads the batch too.
      writeFileSync(join(directory, codec), `${text(minimal(id))}\npoison in ${codec}\n`);
      const address = ['-b', kafkaBrokers(config).join(','), '-t', pipeline.topics.live.name];
      await runExample(directory, 'kcat', ['-P', ...address, '-p', '0', '-z', codec, '-l', codec]);
    }
    await pipeline.untilRead();
    const stored = `select from observations where city_id in (${ids.join(', ')})`;
    expect(await pipeline.rows<Row>(stored)).toHaveLength(codecs.length);
    expect(await pipeline.accountForRecords()).toMatchObject({
      stored: codecs.length,
      deadLetters: codecs.length,
    });
  });

  test('a record of more than 2 MiB is refused by the broker', async () => {
    const kafka = new Kafka({ brokers: [...kafkaBrokers(config)], logLevel: logLevel.NOTHING });
    const producer = kafka.producer({ retry: { retries: 0 } });
    const value = 'x'.repeat(2 * 1_024 * 1_024);
    try {
      await producer.connect();
      await expect(
        producer.send({ topic: pipeline.topics.live.name, messages: [{ key: '1', value }] }),
      ).rejects.toThrow(/larger than the max message size/);
    } finally {
      await producer.disconnect();
    }
  });
});
