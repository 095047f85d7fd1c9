/** Tells when both tables hold everything, without taking from the machine what it is measuring. */
import { setTimeout as delay } from 'node:timers/promises';
import { reasonOf } from '../../domain/errors.ts';
import { StalledRunError } from './errors.ts';
import type { BenchStack } from './stack.ts';
import type { Truth } from './tables.ts';

const LEAST_WAIT_MS = 200;
const MOST_WAIT_MS = 5_000;
export const PATIENCE_MS = 120_000;

/** A quarter of what is left at the pace so far: some fifteen questions for a run of any length. */
export function waitBeforeNextQuestion(elapsedMs: number, stored: number, wanted: number): number {
  const leftMs = stored === 0 ? 1_000 : (elapsedMs * (wanted - stored)) / stored;
  return Math.min(MOST_WAIT_MS, Math.max(LEAST_WAIT_MS, leftMs / 4));
}

/**
 * The moment of the first question, in Unix milliseconds, to which both tables answered that they are complete: late by 0.2 s at the most.
 * Asked is the small table (the observations its hours count), and the large one only when that is complete. The same for
 * every contestant; the connection that asks is left out of the CPU times.
 * @param expectHealthy throws when whoever stores has ended
 * @throws StalledRunError
 */
export async function untilStored(
  { sql }: BenchStack,
  schema: string,
  truth: Truth,
  startedAt: number,
  expectHealthy: () => Promise<void> | void,
): Promise<number> {
  let stored = 0;
  let progressAt = Date.now();
  for (;;) {
    const askedAt = Date.now();
    const now = await countInHours(sql, schema);
    if (now >= truth.observations && (await countObservations(sql, schema)) >= truth.observations)
      return askedAt;
    if (now > stored) progressAt = askedAt;
    stored = now;
    const stalled = await Promise.resolve()
      .then(expectHealthy)
      .then(
        () => (askedAt - progressAt > PATIENCE_MS ? `nothing came for ${PATIENCE_MS / 1_000} s` : undefined),
        reasonOf,
      );
    if (stalled !== undefined) throw new StalledRunError(schema, stored, truth.observations, stalled);
    await delay(waitBeforeNextQuestion(askedAt - startedAt, stored, truth.observations));
  }
}

async function countInHours(sql: BenchStack['sql'], schema: string): Promise<number> {
  const { rows } = await sql.query<{ stored: string }>(
    `select coalesce(sum(observation_count), 0) as stored from ${schema}.weather_hourly`,
  );
  return Number(rows[0]?.stored);
}

export async function countObservations(sql: BenchStack['sql'], schema: string): Promise<number> {
  const { rows } = await sql.query<{ stored: string }>(
    `select count(*) as stored from ${schema}.observations`,
  );
  return Number(rows[0]?.stored);
}
