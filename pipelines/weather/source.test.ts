import { describe, expect, test } from 'vitest';
import { OpenWeatherMapError } from '../../clients/openweathermap-errors.ts';
import { createWeatherSource } from './source.ts';

const London = { entityId: 2643743, name: 'London', country: 'GB', lat: 51.5085, lon: -0.1257 };
const body = '{ "id": 2643743, "dt": 1767225600, "main": { "temp": 7.5 }, "unknown": [1] }';
const signal = new AbortController().signal;

const answering = (status: number, text: string, headers: Record<string, string> = {}) =>
  createWeatherSource({
    ...{ baseUrl: 'http://api', historyUrl: 'http://past', apiKey: 'the-secret', timeoutMs: 1_000 },
    fetch: async () => new Response(text, { status, headers }),
  });

const newYear = new Date('2026-01-01T00:00:00Z');
const at = (minutes: number): Date => new Date(newYear.getTime() + minutes * 60_000);
const row = (minutes: number) => ({ dt: at(minutes).getTime() / 1_000, main: { temp: minutes } });
const historyOf = (rows: readonly unknown[]): string =>
  JSON.stringify({ cod: '200', city_id: 2643743, list: rows });

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
    ['a failing server', 502, 'Bad Gateway'],
    ['a refusal by something between', 403, 'Forbidden'],
  ])('%s concerns this location alone, which may be had soon', async (_, status, text) => {
    expect(await answering(status, text).poll(London, signal)).toEqual({
      kind: 'failed',
      retryable: true,
      reason: expect.stringContaining('2643743'),
    });
  });

  test.each([
    ['an unknown city', 404, apiError(404, 'city not found')],
    ['a city id that is none', 400, apiError(400, 'Invalid ID')],
  ])('%s is permanent for this location alone', async (_, status, text) => {
    expect(await answering(status, text).poll(London, signal)).toEqual({
      kind: 'failed',
      retryable: false,
      reason: expect.stringContaining("Correct the location's city id"),
    });
  });

  test.each([
    ['as long as the source asks for', { 'retry-after': '17' }, 17_000],
    ['for a time it does not tell', {}, undefined],
  ])('a used-up limit concerns everybody %s', async (_, headers, retryAfterMs) => {
    const text = apiError(429, 'Your account is temporary blocked.');
    expect(await answering(429, text, headers as Record<string, string>).poll(London, signal)).toEqual({
      kind: 'limited',
      retryAfterMs,
      reason: expect.stringContaining('Your account is temporary blocked'),
    });
  });

  test.each([
    ['a refused key', apiError(401, 'Invalid API key.'), 'UNAUTHORIZED'],
    ['a plan without the call', apiError(401, 'Please subscribe to another plan.'), 'PLAN_MISSING'],
  ])('%s concerns every location for good, and is thrown', async (_, text, code) => {
    const polling = answering(401, text).poll(London, signal);
    await expect(polling).rejects.toThrow(OpenWeatherMapError);
    await expect(polling).rejects.toMatchObject({ code, retryable: false });
  });
});

describe('no answer of the source', () => {
  const throwing = (error: unknown) =>
    createWeatherSource({
      ...{ baseUrl: 'http://api', historyUrl: 'http://past', apiKey: 'the-secret', timeoutMs: 1_000 },
      fetch: async () => {
        throw error;
      },
    });

  test('concerns this location alone, which may be had soon; its reason does not hold the key', async () => {
    const answer = await throwing(new TypeError('fetch failed http://api?appid=the-secret')).poll(
      London,
      signal,
    );
    expect(answer).toEqual({
      kind: 'failed',
      retryable: true,
      reason: expect.stringContaining('fetch failed'),
    });
    expect(JSON.stringify(answer)).not.toContain('the-secret');
  });

  test('because the caller cancelled is the caller’s own reason', async () => {
    const controller = new AbortController();
    controller.abort(new Error('the worker stops'));
    await expect(answering(200, body).poll(London, controller.signal)).rejects.toThrow('the worker stops');
  });
});

describe('the past of a location', () => {
  const fetchFrom = (source: ReturnType<typeof answering>, to = at(120)) =>
    source.history.fetch(London, newYear, to, { signal, takeCall: async () => undefined });

  test('comes as current weather of the registered place, each observation with its time', async () => {
    const answer = await fetchFrom(answering(200, historyOf([row(5), row(65)])));
    expect(answer).toEqual({
      kind: 'records',
      records: [5, 65].map((minutes) => ({ observedAt: at(minutes), body: expect.any(String) })),
    });
    const [first] = answer.kind === 'records' ? answer.records : [];
    expect(JSON.parse(first?.body ?? '')).toEqual({
      ...row(5),
      ...{ id: 2643743, name: 'London', coord: { lon: -0.1257, lat: 51.5085 }, sys: { country: 'GB' } },
    });
  });

  test('holds what lies in the range alone: its start, and not its end', async () => {
    const answer = await fetchFrom(answering(200, historyOf([-1, 0, 60, 120, 121].map(row))));
    const records = answer.kind === 'records' ? answer.records : [];
    expect(records.map(({ observedAt }) => observedAt)).toEqual([at(0), at(60)]);
  });

  test('may be empty', async () => {
    expect(await fetchFrom(answering(200, historyOf([])))).toEqual({ kind: 'records', records: [] });
  });

  test('is had a week at a time, for two calls at the most', async () => {
    const { history } = answering(200, historyOf([]));
    expect(history).toMatchObject({ longestSpanMs: 7 * 86_400_000, horizonMs: undefined, callsPerSpan: 1 });
    const week = new Date(newYear.getTime() + history.longestSpanMs);
    await expect(fetchFrom(answering(200, historyOf([])), week)).resolves.toMatchObject({ kind: 'records' });
    const longer = new Date(week.getTime() + 2_000);
    await expect(fetchFrom(answering(200, historyOf([])), longer)).rejects.toThrow(RangeError);
    await expect(fetchFrom(answering(200, historyOf([])), newYear)).rejects.toThrow(RangeError);
  });

  test('that is no history is rejected, with its text for the dead letters', async () => {
    const text = historyOf([{ dt: 'now' }]);
    expect(await fetchFrom(answering(200, text))).toEqual({
      kind: 'rejected',
      body: text,
      reason: expect.stringContaining('list[0].dt'),
    });
  });

  test.each([
    ['a failing server', 502, 'Bad Gateway', { kind: 'failed', retryable: true }],
    ['half an answer', 200, historyOf([row(5)]).slice(0, 30), { kind: 'failed', retryable: true }],
    ['an unknown city', 404, apiError(404, 'city not found'), { kind: 'failed', retryable: false }],
    ['a used-up limit', 429, apiError(429, 'blocked'), { kind: 'limited', retryAfterMs: undefined }],
  ])('is had from %s as the present is', async (_, status, text, expected) => {
    expect(await fetchFrom(answering(status, text))).toEqual({
      ...expected,
      reason: expect.stringContaining('the history of city 2643743'),
    });
  });

  test('which the key’s plan does not hold concerns every location, and is thrown; so is a refused key', async () => {
    const refused = apiError(401, 'Invalid API key.');
    const lacking = createWeatherSource({
      ...{ baseUrl: 'http://api', historyUrl: 'http://past', apiKey: 'the-secret', timeoutMs: 1_000 },
      fetch: async (url) =>
        String(url).startsWith('http://past')
          ? new Response(refused, { status: 401 })
          : new Response(body, { status: 200 }),
    });
    await expect(fetchFrom(lacking)).rejects.toMatchObject({ code: 'PLAN_MISSING' });
    await expect(fetchFrom(answering(401, refused))).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
  });

  test('is not asked for when the caller has cancelled', async () => {
    const cancelled = AbortSignal.abort(new Error('the worker stops'));
    const { history } = answering(200, historyOf([]));
    await expect(
      history.fetch(London, newYear, at(120), {
        signal: cancelled,
        takeCall: async () => undefined,
      }),
    ).rejects.toThrow('the worker stops');
  });
});
