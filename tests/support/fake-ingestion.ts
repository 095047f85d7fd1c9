/**
 * The tables and topics that runs of ingestion read and write, in memory: what `sql/queries` does with them, as far as runs need
 * it, and a fault at any one step. The real ones are for `tests/integration/ingest-runs.test.ts`.
 */
import type { KafkaClient, OutgoingRecord } from '../../clients/kafka.ts';
import type { Database } from '../../clients/postgres.ts';
import { weather } from '../../pipelines/weather/definition.ts';
import { type FakeDatabase, fakeDatabase } from './fake-database.ts';

export interface FakePlace {
  readonly id: number;
  readonly polledAt?: Date | null;
  readonly recent?: readonly Date[];
}

export interface FakeRun {
  startedAt: Date;
  attempts: number;
  status: 'running' | 'completed' | 'failed';
  /** due, called, published, unchanged, failed, rejected, skipped, API calls */
  counts: readonly number[];
  error: string | null;
}

interface Poll {
  readonly polledAt: Date | null;
  readonly recent: readonly Date[];
}

export type FaultPoint = 'before' | 'after';

export function fakeIngestion(places: readonly FakePlace[], { failuresBefore = 0 } = {}) {
  const polls = new Map<number, Poll>(
    places.map(({ id, polledAt = null, recent = [] }) => [id, { polledAt, recent }]),
  );
  const exceptions = new Map<number, readonly [outcome: string, reason: string]>();
  const published: OutgoingRecord[] = [];
  const refused: OutgoingRecord[] = [];
  const done: string[] = [];
  const run: FakeRun = {
    ...{ startedAt: new Date(0), attempts: 0, status: 'running' },
    ...{ counts: [0, 0, 0, 0, 0, 0, 0, 0], error: null },
  };
  let fault: { step: number; point: FaultPoint } | undefined;
  let steps = 0;

  /** A step happens or fails; `after`: it happens, but its answer is lost. */
  const step = async <T>(name: string, work: () => T | Promise<T>): Promise<T> => {
    steps += 1;
    const failsHere = fault?.step === steps;
    if (failsHere && fault?.point === 'before') throw new Error(`${name} broke`);
    done.push(name);
    const result = await work();
    if (failsHere) throw new Error(`${name} broke after it happened`);
    return result;
  };

  const database: FakeDatabase = fakeDatabase({
    'begin-ingest-run': ([, , , , startedAt]) => {
      if (run.attempts === 0) run.startedAt = startedAt as Date;
      Object.assign(run, { attempts: run.attempts + 1, status: 'running' });
      return [{ started_at: run.startedAt, attempts: run.attempts }];
    },
    'tries-of-ingest-run': () => [{ attempts: run.attempts }],
    'locations-of-shard': () =>
      places.flatMap(({ id }) => {
        if (exceptions.has(id)) return [];
        const { polledAt, recent } = polls.get(id) as Poll;
        const names = {
          entity_id: id,
          name: `Place ${id}`,
          cadence_minutes: 10,
          country: 'NO',
          lat: 0,
          lon: 0,
        };
        return [{ ...names, polled_at: polledAt, recent_observed_at: recent }];
      }),
    'record-polls': ([, , ids, polledAt, observedAt]) => {
      for (const [index, id] of (ids as number[]).entries()) {
        const observed = (observedAt as (Date | null)[])[index];
        const recent = polls.get(id)?.recent ?? [];
        polls.set(id, {
          polledAt: (polledAt as Date[])[index] as Date,
          recent: observed ? [observed, ...recent] : recent,
        });
      }
      return [];
    },
    'record-ingest-exceptions': ([, , , , ids, outcomes, reasons]) => {
      for (const [index, id] of (ids as number[]).entries())
        exceptions.set(id, [(outcomes as string[])[index] ?? '', (reasons as string[])[index] ?? '']);
      return [];
    },
    'count-ingest-run': ([, , , , ...added]) => {
      const [fresh = 0, unchanged = 0, failed = 0, rejected = 0, skipped = 0, calls = 0] = added as number[];
      const called = fresh + unchanged + failed + rejected;
      const sums = [called + skipped, called, fresh, unchanged, failed, rejected, skipped, calls];
      run.counts = run.counts.map((count, index) => count + (sums[index] ?? 0));
      return [{ attempts: run.attempts }];
    },
    'finish-ingest-run': ([, , , , , error]) => {
      const [due, called, published, unchanged, failed, rejected, skipped = 0, api_calls] = run.counts;
      run.error =
        (error as string | null) ?? run.error ?? (skipped > 0 ? `${skipped} were not called` : null);
      run.status = run.error === null ? 'completed' : 'failed';
      return [{ due, called, published, unchanged, failed, rejected, skipped, api_calls, error: run.error }];
    },
    'ingest-streak': () => [
      { failures: failuresBefore, since: failuresBefore > 0 ? new Date('2026-01-01T12:00:00Z') : null },
    ],
  });
  const withSteps: Database = {
    ...database,
    query: (name, parameters, of) => step(name, () => database.query(name, parameters, of)),
    // All or nothing: the fault comes before the first query, or after the last.
    transaction: (work) => step('transaction', () => work(database)),
  };
  const kafka = {
    publish: (topic: string, records: readonly OutgoingRecord[]) =>
      records.length === 0
        ? Promise.resolve([])
        : step(`publish to ${topic}`, () => {
            (topic === weather.topics.deadLetters.name ? refused : published).push(...records);
            return [];
          }),
    watermarks: async () => [{ partition: 0, low: 0, high: published.length }],
  } as unknown as KafkaClient;
  return {
    ...{ database: withSteps, kafka, run, polls, exceptions, published, refused, done },
    askedFor: database.askedFor,
    /** The step of this number from now on breaks, counted from one. */
    breakAt(number: number, point: FaultPoint): void {
      fault = { step: steps + number, point };
    },
    keys: () => published.map(({ key }) => Number(key)),
  };
}
