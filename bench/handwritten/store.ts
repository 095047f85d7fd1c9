/** Stores a batch in one transaction: observations, their hours, its poison; all of it or nothing. */
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { connectionOptions, PostgresError, type PostgresOptions } from '../../clients/postgres.ts';
import { readQuery } from '../../clients/sql-files.ts';
import { readBenchSql } from '../support/sql.ts';
import type { DeadLetter, PreparedBatch } from './batch.ts';

export const CONSUMER_APPLICATION = 'handwritten-consumer';

const ATTEMPTS = 5;
const BACKOFF_MS = 100;

const STORE = { name: 'store-observations', text: readBenchSql('store-observations') };
const COMPUTE = { name: 'compute-hours', text: readBenchSql('compute-hours') };

export interface Store {
  /** @throws PostgresError when it failed five times, or once for a reason that stays */
  store(batch: PreparedBatch): Promise<void>;
  close(): Promise<void>;
}

/** @param connections as many batches are stored at once */
export async function openStore(options: PostgresOptions, connections: number): Promise<Store> {
  const pool = new pg.Pool({
    ...connectionOptions(options),
    application_name: CONSUMER_APPLICATION,
    max: connections,
    // They stay open, with their prepared statements.
    idleTimeoutMillis: 0,
  });
  pool.on('error', () => undefined);
  await pool.query(readBenchSql('incomplete-hours'));
  return {
    async store(batch) {
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await inTransaction(pool, (client) => storeBatch(client, batch));
        } catch (error) {
          const failure = new PostgresError('storing a batch', error);
          if (!failure.retryable || attempt === ATTEMPTS) throw failure;
          await delay(attempt * BACKOFF_MS);
        }
      }
    },
    close: () => pool.end(),
  };
}

async function inTransaction(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<void>): Promise<void> {
  const client = await pool.connect();
  let failure: unknown;
  try {
    await client.query('begin');
    await work(client);
    await client.query('commit');
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    // A connection on which something failed is closed, which rolls back.
    client.release(failure !== undefined);
  }
}

interface Hour {
  readonly city_id: string;
  readonly window_start: Date;
}

async function storeBatch(client: pg.PoolClient, batch: PreparedBatch): Promise<void> {
  const { topic, partition, rows, arrays, deadLetters } = batch;
  if (rows > 0) {
    const { rows: hours } = await client.query<Hour>({ ...STORE, values: [topic, partition, ...arrays] });
    if (hours.length > 0)
      await client.query({
        ...COMPUTE,
        values: [hours.map(({ city_id }) => city_id), hours.map(({ window_start }) => window_start)],
      });
  }
  if (deadLetters.length > 0)
    await client.query(readQuery('store-dead-letters'), deadLetterValues(topic, partition, deadLetters));
}

function deadLetterValues(topic: string, partition: number, letters: readonly DeadLetter[]): unknown[] {
  const messages = letters.map(({ message }) => message);
  const headersOf = ({ headers = {} }: { headers?: object }): string =>
    JSON.stringify(Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)])));
  return [
    topic,
    letters.map(() => partition),
    messages.map(({ offset }) => offset),
    letters.map(({ reason }) => reason),
    messages.map(({ key }) => key),
    messages.map(({ value }) => value),
    messages.map(headersOf),
    messages.map(({ timestamp }) => new Date(Number(timestamp))),
  ];
}
