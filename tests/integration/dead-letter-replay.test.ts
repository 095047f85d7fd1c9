import { setTimeout as delay } from 'node:timers/promises';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  createDeadLetterActivities,
  type StretchInput,
  type StretchResult,
} from '../../activities/dead-letters.ts';
import type { Database } from '../../clients/postgres.ts';
import { connectTemporal } from '../../clients/temporal.ts';
import { temporalAddress } from '../../config/addresses.ts';
import type { ReplayOutcome } from '../../domain/dead-letter-replay.ts';
import { taskQueues } from '../../domain/task-queues.ts';
import { contracts } from '../../pipelines/index.ts';
import { contractLimits } from '../../pipelines/weather/contract.ts';
import { weather } from '../../pipelines/weather/definition.ts';
import { replayInputSchema } from '../../schemas/workflow-inputs.ts';
import { createIsolatedPipeline, type IsolatedPipeline, observation } from '../support/isolated-pipeline.ts';
import { config, connectSql, hourglass } from '../support/shared-stack.ts';

let pipeline: IsolatedPipeline;
beforeAll(async () => {
  pipeline = await createIsolatedPipeline('replay');
  await pipeline.start();
});
afterAll(() => pipeline?.close());

const now = (): Date => new Date(Math.floor(Date.now() / 1_000) * 1_000);
const everything = { all: true };

type Activity = (input: StretchInput & { until: string }) => Promise<StretchResult>;

async function run(name: 'publishDeadLetters' | 'settleDeadLetters', selection: object, database: Database) {
  const activities = createDeadLetterActivities({
    ...{ database, kafka: pipeline.kafka, contracts, pollMs: 200 },
    pipelines: { weather: pipeline.definition },
    now: () => new Date(),
  });
  const environment = new MockActivityEnvironment(undefined, { logger: new DefaultLogger('ERROR') });
  const input = {
    selection: replayInputSchema.parse({ pipeline: 'weather', ...selection }),
    ...{ run: 'a-run', before: new Date(Date.now() + 1_000).toISOString() },
    until: new Date(Date.now() + 20_000).toISOString(),
  };
  return environment.run<[typeof input], StretchResult, Activity>(activities[name], input);
}

/** What the workflow does, with the ticks that let an idle reader commit at once. */
async function replay(selection: object = everything, database: Database = pipeline.database) {
  await run('publishDeadLetters', selection, database);
  await pipeline.untilRead();
  const { counts } = await run('settleDeadLetters', selection, database);
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}

interface LetterRow {
  readonly key: string;
  readonly outcome: ReplayOutcome | null;
  readonly outcome_reason: string | null;
  readonly place: string;
  readonly replayed_to: string | null;
}

const letters = (): Promise<LetterRow[]> =>
  pipeline.rows<LetterRow>(
    `select convert_from(key, 'UTF8') as key, outcome, outcome_reason,
       concat_ws('/', topic, partition_id, record_offset) as place,
       nullif(concat_ws('/', replayed_to_topic, replayed_to_partition, replayed_to_offset), '') as replayed_to
     from dead_letters order by convert_from(key, 'UTF8')::integer`,
  );
const outcomes = async () => (await letters()).map(({ key, outcome }) => [Number(key), outcome]);
const figures = async () => ({
  letters: await letters(),
  observations: await pipeline.rows('select * from observations order by city_id, observed_at'),
  hours: await pipeline.rows('select * from weather_hourly order by city_id, window_start'),
  ends: await pipeline.kafka.watermarks(pipeline.topics.repairs.name),
});

describe('replaying dead letters', () => {
  const at = now();

  test('stores what has become acceptable, refuses poison again, and tells a duplicate', async () => {
    const refusedAtIngestion = observation({ cityId: 3, at, temp: 3 });
    await pipeline.send([{ key: '1', value: 'poison' }]);
    await pipeline.publish([observation({ cityId: 4, at, temp: 4 })]);
    const acceptableFrom = now().getTime() + 5_000;
    const future = new Date(acceptableFrom + contractLimits.skewSeconds * 1_000);
    await pipeline.publish([observation({ cityId: 2, at: future, temp: 2 })]);
    await pipeline.publish(
      [refusedAtIngestion, observation({ cityId: 4, at, temp: 44 })],
      pipeline.topics.deadLetters.name,
    );
    await pipeline.untilRead();
    expect(await pipeline.accountForRecords()).toMatchObject({ stored: 1, duplicates: 0, deadLetters: 4 });
    await delay(Math.max(0, acceptableFrom + 1_000 - Date.now()));

    expect(await replay()).toEqual({ stored: 2, duplicate: 1, refused: 1 });
    expect(await outcomes()).toEqual([
      [1, 'refused'],
      [2, 'stored'],
      [3, 'stored'],
      [4, 'duplicate'],
    ]);
    const [refused, , stored] = await letters();
    expect(refused?.outcome_reason).toMatch(/is not JSON/);
    const rows = await pipeline.rows(
      `select city_id, temp, topic, partition_id, record_offset from observations where city_id = 3`,
    );
    const place = /^(.*)\/(\d+)\/(\d+)$/.exec(stored?.replayed_to ?? '') ?? [];
    expect(rows).toEqual([
      { city_id: '3', temp: 3, topic: place[1], partition_id: Number(place[2]), record_offset: place[3] },
    ]);
    expect(await pipeline.rows('select from weather_hourly where city_id in (2, 3)')).toHaveLength(2);
    const records: object[] = [];
    const one = { partition: Number(place[2]), first: Number(place[3]), end: Number(place[3]) + 1 };
    await pipeline.kafka.read(pipeline.topics.repairs.name, [one], async (read) => {
      for (const { key, value, headers } of read)
        records.push({ key: String(key), value: String(value), headers });
    });
    expect(records).toEqual([
      {
        ...{ key: '3', value: refusedAtIngestion.body },
        headers: { source: 'mock', pipeline: 'weather', replay_of: stored?.place },
      },
    ]);
  });

  test('twice changes nothing, neither a letter nor a figure nor the topic', async () => {
    const before = await figures();
    expect(await replay()).toEqual({ stored: 2, duplicate: 1, refused: 1 });
    expect(await figures()).toEqual(before);
  });

  test('that is killed between publishing and recording repeats harmlessly, and the account holds', async () => {
    await pipeline.accountForRecords();
    await pipeline.publish([observation({ cityId: 5, at, temp: 5 })], pipeline.topics.deadLetters.name);
    await pipeline.accountForRecords();
    const { database } = pipeline;
    const dying: Database = {
      ...database,
      query: async (name, parameters = [], of) => {
        const isRecordOfPlaces =
          name === 'record-dead-letter-outcomes' && String(parameters[4]) === 'published';
        if (isRecordOfPlaces) throw new Error('killed');
        return database.query(name, parameters, of);
      },
    };
    await expect(run('publishDeadLetters', everything, dying)).rejects.toThrow('killed');
    expect((await outcomes()).at(-1)).toEqual([5, 'publishing']);

    // Where the stream has not stored it by now, it is published once more, and that one is a duplicate.
    await replay();
    expect((await outcomes()).at(-1)).toEqual([5, 'stored']);
    expect(await pipeline.rows('select temp from observations where city_id = 5')).toEqual([{ temp: 5 }]);
    const { read, stored, duplicates, deadLetters } = await pipeline.accountForRecords();
    expect({ stored, deadLetters }).toEqual({ stored: 1, deadLetters: 0 });
    expect(read).toBe(stored + duplicates);
  });
});

describe('the commands, on the running stack', () => {
  const topic = weather.topics.deadLetters.name;
  const offset = 900_000_000;
  const cityId = 8_900_001;
  let sql: pg.Client;

  beforeAll(async () => {
    sql = await connectSql();
    const bodies = [observation({ cityId, at: now(), temp: 9 }).body, 'poison'];
    for (const [index, body] of bodies.entries())
      await sql.query(
        `insert into dead_letters (topic, partition_id, record_offset, reason, raw_bytes, published_at)
         values ($1, 0, $2, 'a test', $3, now())`,
        [topic, offset + index, Buffer.from(body)],
      );
  });
  afterAll(async () => {
    await sql?.query('delete from dead_letters where topic = $1 and record_offset >= $2', [topic, offset]);
    await sql?.end();
  });

  test('show what would happen, replay, and tell what became of each', async () => {
    const [none, plan, unreplayed] = await Promise.all([
      hourglass(['dead-letters', 'replay']),
      hourglass(['dead-letters', 'replay', topic, '--dry-run', '--json']),
      hourglass(['dead-letters', 'list', '--topic', topic, '--not-replayed']),
    ]);
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('`--all`')]);
    expect(JSON.parse(plan.stdout)).toMatchObject([
      { offset, would: 'publish' },
      { offset: offset + 1, would: 'refused', reason: expect.stringContaining('not JSON') },
    ]);
    expect(unreplayed.stdout).toMatch(/\n\n2 dead letters\n$/);

    const replayed = await hourglass(['dead-letters', 'replay', topic, '--wait', '--json']);
    expect(replayed.stderr).toMatch(/settling: 1 published, 1 refused/);
    expect(JSON.parse(replayed.stdout)).toMatchObject({
      workflowId: `replay-dead-letters/weather/topic=${topic}`,
      ...{ result: 'ended', counts: { stored: 1, refused: 1, published: 0 } },
    });
    expect(replayed.code).toBe(0);
    const [shown, list] = await Promise.all([
      hourglass(['dead-letters', 'show', topic, '0', String(offset)]),
      hourglass(['dead-letters', 'list', '--topic', topic]),
    ]);
    expect(shown.stdout).toMatch(/replay {5}stored \d.*, published at weather\.repairs\.v1\//);
    expect(list.stdout).toMatch(/refused \d{4}-.*a test/);
  });

  test('a run that is started in the Web UI with an input that does not fit fails at once with a sentence', async () => {
    const client = await connectTemporal(temporalAddress(config), config.values.TEMPORAL_NAMESPACE);
    const messageOf = (input: object): Promise<unknown> =>
      client.workflow
        .execute('replayDeadLetters', {
          workflowId: 'by-hand',
          taskQueue: taskQueues.control,
          args: [input],
        })
        .catch((error) => (error.cause.cause ?? error.cause).message);
    try {
      expect(await messageOf({ pipeline: 'weather' })).toContain(
        'the input is not valid: nothing is selected',
      );
      expect(await messageOf({ pipeline: 'tides', all: true })).toContain('There is no pipeline "tides"');
    } finally {
      await client.connection.close();
    }
  });
});
