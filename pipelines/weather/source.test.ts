import { describe, expect, test } from 'vitest';
import { OpenWeatherMapError } from '../../clients/openweathermap-errors.ts';
import { createWeatherSource } from './source.ts';

const London = { entityId: 2643743, name: 'London' };
const body = '{ "id": 2643743, "dt": 1767225600, "main": { "temp": 7.5 }, "unknown": [1] }';
const signal = new AbortController().signal;

const answering = (status: number, text: string, headers: Record<string, string> = {}) =>
  createWeatherSource({
    ...{ baseUrl: 'http://api', apiKey: 'the-secret', timeoutMs: 1_000 },
    fetch: async () => new Response(text, { status, headers }),
  });

const apiError = (cod: number, message: string): string => JSON.stringify({ cod, message });

describe('an answer of the source', () => {
  test('is an observation of its time, its text unchanged', async () => {
    expect(await answering(200, body).poll(London, signal)).toEqual({
      kind: 'observation',
      body,
      observedAt: new Date('2026-01-01T00:00:00Z'),
    });
  });

  test.each([
    ['without a time of observation', '{"id":2643743}'],
    ['with a time in milliseconds', '{"id":2643743,"dt":1767225600000}'],
    ['for another city', '{"id":1,"dt":1767225600}'],
  ])('%s is rejected, with its text for the dead letters', async (_, text) => {
    expect(await answering(200, text).poll(London, signal)).toEqual({
      kind: 'rejected',
      body: text,
      reason: expect.stringContaining('OpenWeatherMap'),
    });
  });

  test.each([
    ['a page that is no JSON', 200, '<html>'],
    ['an unknown city', 404, apiError(404, 'city not found')],
    ['a failing server', 502, 'Bad Gateway'],
    ['a refusal by something between', 403, 'Forbidden'],
  ])('%s concerns this location alone, which stays due', async (_, status, text) => {
    expect(await answering(status, text).poll(London, signal)).toEqual({
      kind: 'failed',
      reason: expect.stringContaining('2643743'),
    });
  });

  test.each([
    ['a refused key', 401, apiError(401, 'Invalid API key.'), 'UNAUTHORIZED', false],
    [
      'a plan without the call',
      401,
      apiError(401, 'Please subscribe to another plan.'),
      'PLAN_MISSING',
      false,
    ],
    ['a used-up limit', 429, apiError(429, 'Your account is temporarily blocked.'), 'RATE_LIMITED', true],
  ])('%s concerns every location, and is thrown', async (_, status, text, code, retryable) => {
    const polling = answering(status, text).poll(London, signal);
    await expect(polling).rejects.toThrow(OpenWeatherMapError);
    await expect(polling).rejects.toMatchObject({ code, retryable });
  });
});

describe('no answer of the source', () => {
  const throwing = (error: unknown) =>
    createWeatherSource({
      ...{ baseUrl: 'http://api', apiKey: 'the-secret', timeoutMs: 1_000 },
      fetch: async () => {
        throw error;
      },
    });

  test('concerns this location alone, and its reason does not hold the key', async () => {
    const answer = await throwing(new TypeError('fetch failed http://api?appid=the-secret')).poll(
      London,
      signal,
    );
    expect(answer).toMatchObject({ kind: 'failed', reason: expect.stringContaining('fetch failed') });
    expect(JSON.stringify(answer)).not.toContain('the-secret');
  });

  test('because the caller cancelled is the caller’s own reason', async () => {
    const controller = new AbortController();
    controller.abort(new Error('the worker stops'));
    await expect(answering(200, body).poll(London, controller.signal)).rejects.toThrow('the worker stops');
  });
});
