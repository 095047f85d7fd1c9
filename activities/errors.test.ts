import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { describe, expect, test } from 'vitest';
import { FlinkStatementError, FlinkUnreachableError } from '../clients/flink-errors.ts';
import { PostgresError } from '../clients/postgres.ts';
import { asFailure, withFailures } from './errors.ts';

const unreachable = new FlinkUnreachableError(
  'JobManager',
  'http://a',
  'ECONNREFUSED',
  new Error('the-secret'),
);
const refused = new FlinkStatementError('SELECT 1', 'a.B: no');

describe('a typed error', () => {
  test('that may be gone at the next try becomes a failure of its type that is retried', () => {
    const failure = asFailure(unreachable);
    expect(failure).toBeInstanceOf(ApplicationFailure);
    expect(failure).toMatchObject({
      type: 'FLINK_UNREACHABLE',
      nonRetryable: false,
      message: unreachable.message,
    });
  });

  test('that stays until somebody changes something becomes one that is not', () => {
    expect(asFailure(refused)).toMatchObject({ type: 'FLINK_STATEMENT', nonRetryable: true });
    const missingTable = new PostgresError('q', Object.assign(new Error('no'), { code: '42P01' }));
    expect(asFailure(missingTable)).toMatchObject({ type: 'POSTGRES', nonRetryable: true });
  });

  test('leaves its cause behind, which may hold what must not stand in a history', () => {
    const failure = asFailure(unreachable) as ApplicationFailure;
    expect(failure.cause).toBeUndefined();
    expect(failure.details ?? []).toEqual([]);
    expect(failure.message).not.toContain('the-secret');
  });

  test('with a message of a megabyte becomes a failure of four thousand characters', () => {
    const failure = asFailure(Object.assign(new Error('x'.repeat(1e6)), { code: 'C', retryable: true }));
    expect(failure.message).toHaveLength(4_000);
  });
});

describe('what is no typed error', () => {
  test.each([
    ['a failure', ApplicationFailure.nonRetryable('done', 'T')],
    ['a cancellation', new CancelledFailure('stop')],
    ['an error of the code itself', new TypeError('x is not a function')],
    [
      'a system error, whose code says nothing of a retry',
      Object.assign(new Error('no'), { code: 'ENOENT' }),
    ],
  ])('%s stays as it is', (_, error) => {
    expect(asFailure(error)).toBe(error);
  });

  test('something thrown that is no error becomes one', () => {
    expect(asFailure('lost')).toEqual(new Error('lost'));
  });
});

describe('withFailures', () => {
  const wrapped = withFailures({
    async add(a: number, b: number) {
      return a + b;
    },
    async refuse() {
      throw refused;
    },
  });

  test('leaves what an activity returns as it is', async () => {
    expect(await wrapped.add(2, 3)).toBe(5);
  });

  test('turns what it throws into a failure', async () => {
    await expect(wrapped.refuse()).rejects.toMatchObject({ type: 'FLINK_STATEMENT', nonRetryable: true });
  });
});
