import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { TakeOptions } from '../clients/call-budget.ts';
import { HourglassError } from '../domain/errors.ts';
import type { HistoryAnswer, PipelineHistory } from '../schemas/pipeline.ts';
import { fakeCallBudget } from '../tests/support/fake-call-budget.ts';
import { fetchPasts } from './history-inquiry.ts';

const range = { from: new Date('2026-01-01T00:00:00Z'), to: new Date('2026-01-01T05:00:00Z') };
const questions = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    location: { entityId: index + 1, name: 'a place', country: 'NO', lat: 0, lon: 0 },
    ranges: [range],
  }));

type Fetch = (id: number, signal: AbortSignal) => Promise<HistoryAnswer>;

const ask = (count: number, fetch: Fetch, signal: AbortSignal, budget = fakeCallBudget()) => {
  const history: PipelineHistory = {
    ...{ longestSpanMs: 1, horizonMs: undefined, callsPerSpan: 1 },
    fetch: ({ entityId }, _from, _to, { signal: ofCall }) => fetch(entityId, ofCall),
  };
  return fetchPasts(questions(count), { history, budget, purpose: 'backfill', concurrency: 4, signal });
};

const nothing: HistoryAnswer = { kind: 'records', records: [] };
const never = new AbortController().signal;
const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));

describe('an inquiry', () => {
  test('answers in the order of its questions, however long each takes', async () => {
    const pasts = await ask(3, (id) => delay(30 / id, nothing), never);
    expect(pasts.map(({ location }) => location.entityId)).toEqual([1, 2, 3]);
  });

  test('that is cancelled throws the reason: within a call, within a pause, and within a wait for the budget', async () => {
    const failing: Fetch = async () => ({ kind: 'failed', reason: 'timeout', retryable: true });
    const waiting = {
      ...fakeCallBudget(),
      take: (_: unknown, options: TakeOptions = {}) => aborted(options.signal ?? never),
    };
    for (const inquire of [
      (signal: AbortSignal) => ask(6, (_, ofCall) => aborted(ofCall), signal),
      (signal: AbortSignal) => ask(1, failing, signal),
      (signal: AbortSignal) => ask(6, failing, signal, waiting),
    ]) {
      const controller = new AbortController();
      const reason = new Error('the activity is cancelled');
      setTimeout(() => controller.abort(reason), 50);
      await expect(inquire(controller.signal)).rejects.toBe(reason);
    }
  });

  test('that finds everybody refused breaks off the calls that are under way', async () => {
    const refusal = new HourglassError('UNAUTHORIZED', 'the key is refused');
    let brokenOff = 0;
    const fetch: Fetch = async (id, signal) => {
      if (id === 3) throw refusal;
      return aborted(signal).catch((error) => {
        brokenOff += 1;
        throw error;
      });
    };
    await expect(ask(20, fetch, never)).rejects.toMatchObject({ code: 'SOURCE_REFUSES', cause: refusal });
    await delay(10);
    expect(brokenOff).toBe(3);
  });
});
