/** Records for the stream of a whole stack: of a file as fast as they go, or live ones at a steady pace; and the wait until they are stored. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { createGunzip } from 'node:zlib';
import type { MockWeather } from '../../mock/weather.ts';
import { weather } from '../../pipelines/weather/definition.ts';
import { PATIENCE_MS, waitBeforeNextQuestion } from './completion.ts';
import { StalledRunError } from './errors.ts';
import { inputBatches } from './records.ts';
import { readBenchSql } from './sql.ts';
import { publish } from './topics.ts';
import { IDS_OF_A_SET, type Part, totalsOf } from './totals.ts';
import type { WholeStack } from './whole-stack.ts';

const RECORDS_OF_A_BATCH = 1_500;
const TICK_MS = 100;
/** So many seconds of records there are; more than any backfill of a bench takes. */
const MOST_SECONDS = 4 * 3_600;

/** The same records under other ids: what was stored of the first ones has no part in them. */
const moved = (document: MockWeather, sets: number): MockWeather => ({
  ...document,
  id: document.id + sets * IDS_OF_A_SET,
});

/** Publishes a file's records to the live topic. @param sets by how many sets of cities their ids are moved */
export async function publishFileLive(stack: WholeStack, path: string, sets: number): Promise<void> {
  let batch: MockWeather[] = [];
  for await (const line of createInterface({ input: createReadStream(path).pipe(createGunzip()) })) {
    batch.push(moved(JSON.parse(line), sets));
    if (batch.length < RECORDS_OF_A_BATCH) continue;
    await publish(stack, weather.topics, batch);
    batch = [];
  }
  if (batch.length > 0) await publish(stack, weather.topics, batch);
}

export interface SteadyPublishing {
  readonly published: number;
  /** How many milliseconds it was ever behind its pace. */
  readonly mostLateMs: number;
}

/** Publishes records of the last day to the live topic, a batch each 100 ms, until it is told that it is enough. */
export async function publishSteadily(
  stack: WholeStack,
  { recordsPerSecond, sets }: { readonly recordsPerSecond: number; readonly sets: number },
  isEnough: (elapsedMs: number) => boolean,
): Promise<SteadyPublishing> {
  const batchSize = Math.ceil((recordsPerSecond * TICK_MS) / 1_000);
  const endSeconds = Math.floor(Date.now() / 1_000);
  const startedAt = Date.now();
  let [published, mostLateMs, tick] = [0, 0, 0];
  for (const batch of inputBatches({ records: recordsPerSecond * MOST_SECONDS, endSeconds, batchSize })) {
    if (isEnough(Date.now() - startedAt)) break;
    const dueInMs = startedAt + tick * TICK_MS - Date.now();
    mostLateMs = Math.max(mostLateMs, -dueInMs);
    if (dueInMs > 0) await delay(dueInMs);
    await publish(
      stack,
      weather.topics,
      batch.map((document) => moved(document, sets)),
    );
    published += batch.length;
    tick += 1;
  }
  return { published, mostLateMs };
}

/**
 * Waits until both tables hold so many observations of a part.
 * @returns when they did, in Unix milliseconds: late by the pause between two questions
 * @throws StalledRunError
 */
export async function untilHeld(
  { sql }: WholeStack,
  part: Part,
  records: number,
  startedAt: number,
): Promise<number> {
  const ids = [part.firstId, part.firstId + IDS_OF_A_SET];
  let [stored, progressAt] = [0, Date.now()];
  for (;;) {
    const askedAt = Date.now();
    const { rows } = await sql.query<{ counted: number }>(readBenchSql('counted-of-cities'), ids);
    const counted = rows[0]?.counted ?? 0;
    if (counted >= records && (await totalsOf({ sql }, part)).observations >= records) return askedAt;
    if (counted > stored) progressAt = askedAt;
    stored = counted;
    if (askedAt - progressAt > PATIENCE_MS)
      throw new StalledRunError('the stream', stored, records, `nothing came for ${PATIENCE_MS / 1_000} s`);
    await delay(waitBeforeNextQuestion(askedAt - startedAt, stored, records));
  }
}
