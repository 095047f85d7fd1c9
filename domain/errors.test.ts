import { describe, expect, test } from 'vitest';
import { HourglassError, reasonOf } from './errors.ts';

class LostError extends HourglassError {}

describe('an error for the person at the terminal', () => {
  test('has the name of its class, a code, and is final unless it says otherwise', () => {
    const error = new LostError('LOST', 'It is lost.');
    expect(error).toMatchObject({
      name: 'LostError',
      code: 'LOST',
      retryable: false,
      message: 'It is lost.',
    });
    expect('cause' in error).toBe(false);
  });

  test('keeps its cause', () => {
    const cause = new Error('inner');
    expect(new LostError('LOST', 'It is lost.', { retryable: true, cause })).toMatchObject({
      retryable: true,
      cause,
    });
  });
});

describe('the reason of anything thrown', () => {
  test.each([
    ['an error', new Error('no route'), 'no route'],
    [
      'an aggregate',
      new AggregateError([new Error('refused by a'), new Error('refused by b')]),
      'refused by a',
    ],
    ['an aggregate of nothing', new AggregateError([], 'none answered'), 'none answered'],
    ['an error without a message', Object.assign(new Error(''), { code: 'ECONNRESET' }), 'ECONNRESET'],
    ['an error with nothing at all', new TypeError(''), 'TypeError'],
    ['a text', 'lost', 'lost'],
    ['nothing', undefined, 'undefined'],
  ])('of %s is a sentence', (_, thrown, reason) => {
    expect(reasonOf(thrown)).toBe(reason);
  });
});
