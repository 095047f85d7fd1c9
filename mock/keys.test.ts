import { describe, expect, test } from 'vitest';
import { callsPerMinuteOf, keyFingerprint, keyRefusal, planNames, tooManyCallsReply } from './keys.ts';

describe('what a key may do', () => {
  test('any text but "bad" opens what needs nothing but a key', () => {
    for (const key of [...planNames, 'any', 'BAD', ' ']) expect(keyRefusal(key, 'key')).toBeUndefined();
    for (const key of ['', 'bad']) expect(keyRefusal(key, 'key')).toMatchObject({ status: 401 });
  });

  test('the key "free" lacks the paid forecasts, the history and One Call, and no other key lacks anything', () => {
    for (const needs of ['paid-forecast', 'history', 'one-call'] as const) {
      expect(keyRefusal('free', needs)).toMatchObject({ status: 401 });
      for (const key of ['startup', 'developer', 'professional', 'any'])
        expect(keyRefusal(key, needs)).toBeUndefined();
    }
  });

  test('One Call speaks of its subscription, the paths of version 2.5 of an invalid key, each as the API does', () => {
    expect(JSON.parse(keyRefusal('free', 'one-call')?.body ?? '')).toEqual({
      cod: 401,
      message: expect.stringMatching(
        /^Please note that using One Call 3\.0 requires a separate subscription/,
      ),
    });
    for (const needs of ['history', 'paid-forecast'] as const)
      expect(JSON.parse(keyRefusal('free', needs)?.body ?? '')).toEqual({
        cod: 401,
        message: expect.stringMatching(/^Invalid API key\./),
      });
  });

  test('the refusal of a used-up limit has its cod as a number', () => {
    expect(tooManyCallsReply.status).toBe(429);
    expect(JSON.parse(tooManyCallsReply.body)).toEqual({
      cod: 429,
      message: expect.stringMatching(/^Your account is temporary blocked due to exceeding of requests/),
    });
  });

  test('a key named after a plan has its limit, any other key the limit given', () => {
    const limits = ['free', 'startup', 'developer', 'professional', 'toString', 'any'];
    expect(limits.map((key) => callsPerMinuteOf(key, 7))).toEqual([60, 600, 3_000, 30_000, 7, 7]);
  });

  test('a fingerprint tells keys apart and does not hold them', () => {
    const fingerprints = ['free', 'free', 'any'].map(keyFingerprint);
    expect(new Set(fingerprints).size).toBe(2);
    for (const fingerprint of fingerprints) expect(fingerprint).toMatch(/^[0-9a-f]{12}$/);
  });
});
