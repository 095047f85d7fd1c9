import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRedactor, redactedCause } from './redaction.ts';

const secret = '0123456789abcdef0123456789abcdef';
const redact = createRedactor(secret);

describe('createRedactor', () => {
  test('every occurrence is replaced', () => {
    expect(redact(`a=${secret}&b=${secret}`)).toBe('a=***&b=***');
  });

  test('a secret of any characters is found as it stands in a URL', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'grapheme' }), (anySecret) => {
        const url = new URL('https://example.org/');
        url.searchParams.set('appid', anySecret);
        expect(createRedactor(anySecret)(url.searchParams.toString().slice('appid='.length))).toBe('***');
      }),
    );
  });

  test('an empty secret leaves texts alone', () => {
    expect(createRedactor('')('text')).toBe('text');
  });
});

describe('redactedCause', () => {
  test('hidden properties, nested causes and stacks do not carry the secret', () => {
    const url = `https://example.org/?appid=${secret}`;
    const inner = Object.assign(new Error(`connect failed: ${url}`), {
      code: 'ECONNRESET',
      url,
      opts: { path: url },
    });
    const copy = redactedCause(
      new TypeError(`fetch failed ${url}`, { cause: new AggregateError([inner], url) }),
      redact,
    );
    expect(inspect(copy, { depth: 20, showHidden: true })).not.toContain(secret);
    expect(copy).toMatchObject({ name: 'TypeError', cause: { cause: { code: 'ECONNRESET' } } });
  });

  test('something thrown that is no error becomes one', () => {
    expect(redactedCause(`lost ${secret}`, redact).message).toBe('lost ***');
  });

  test('a circular cause ends', () => {
    const error = new Error('circular');
    error.cause = error;
    expect(redactedCause(error, redact).message).toBe('circular');
  });
});
