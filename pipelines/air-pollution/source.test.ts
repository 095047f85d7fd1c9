import { describe, expect, test } from 'vitest';
import { inspectAirRecord } from './contract.ts';
import { createAirPollutionSource } from './source.ts';

const oslo = { entityId: 3143244, name: 'Oslo', country: 'NO', lat: 59.9127, lon: 10.7461 };
const { signal } = new AbortController();
const newYear = new Date('2026-01-01T00:00:00Z');
const at = (hour: number): Date => new Date(newYear.getTime() + hour * 3_600_000);
const row = (hour: number) => ({
  main: { aqi: 2 },
  components: { co: 200.5, no: 0.1, pm2_5: 4 + hour },
  dt: at(hour).getTime() / 1_000,
});
const answerOf = (...list: readonly object[]): string =>
  JSON.stringify({ coord: { lon: 10.7461, lat: 59.9127 }, list });

function answering(status: number, text: string) {
  const asked: URL[] = [];
  const source = createAirPollutionSource({
    ...{ baseUrl: 'http://api', historyUrl: 'http://past', apiKey: 'the-secret', timeoutMs: 1_000 },
    fetch: async (url) => {
      asked.push(new URL(String(url)));
      return new Response(text, { status });
    },
  });
  return { asked, source };
}
const call = { signal, takeCall: async () => undefined };

describe('the present', () => {
  test('is asked for by coordinates, and published with the id of the location', async () => {
    const { asked, source } = answering(200, answerOf(row(0)));
    const answer = await source.poll(oslo, signal);
    expect(asked.map(({ pathname, searchParams }) => [pathname, Object.fromEntries(searchParams)])).toEqual([
      ['/data/2.5/air_pollution', { lat: '59.9127', lon: '10.7461', appid: 'the-secret' }],
    ]);
    if (answer.kind !== 'observation') throw new Error(answer.kind);
    expect(answer.observedAt).toEqual(newYear);
    expect(JSON.parse(answer.body)).toEqual({
      ...{ id: 3143244, coord: { lon: 10.7461, lat: 59.9127 } },
      ...row(0),
    });
    const record = { value: Buffer.from(answer.body), publishedAt: newYear };
    expect(inspectAirRecord(record)).toEqual({ kind: 'fits', entityId: 3143244, observedAt: newYear });
  });

  test.each([
    ['no row', answerOf()],
    ['a row without its time', answerOf({ main: { aqi: 2 }, components: {} })],
    ['another shape', '{"cod":200}'],
  ])('with %s is rejected, with its text for the dead letters', async (_, text) => {
    expect(await answering(200, text).source.poll(oslo, signal)).toEqual({
      kind: 'rejected',
      body: text,
      reason: expect.stringContaining('the air at latitude 59.9127'),
    });
  });

  test('is not had when the server fails, is limited when the calls are used up, and a refused key ends the run', async () => {
    const refused = (cod: number) => answering(cod, JSON.stringify({ cod, message: 'no' })).source;
    expect(await refused(500).poll(oslo, signal)).toMatchObject({ kind: 'failed', retryable: true });
    expect(await refused(429).poll(oslo, signal)).toMatchObject({ kind: 'limited' });
    await expect(refused(401).poll(oslo, signal)).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
  });
});

describe('the past', () => {
  test('is asked for at the address of the present, and has what lies in the range', async () => {
    const { asked, source } = answering(200, answerOf(row(0), row(1), row(2)));
    const past = await source.history.fetch(oslo, at(0), at(2), call);
    const query = Object.fromEntries(asked[0]?.searchParams ?? []);
    expect([asked[0]?.origin, asked[0]?.pathname]).toEqual(['http://api', '/data/2.5/air_pollution/history']);
    expect(query).toMatchObject({
      start: String(at(0).getTime() / 1_000),
      end: String(at(2).getTime() / 1_000 - 1),
    });
    if (past.kind !== 'records') throw new Error(past.kind);
    expect(past.records.map(({ observedAt }) => observedAt)).toEqual([at(0), at(1)]);
    expect(JSON.parse(past.records[1]?.body ?? '')).toMatchObject({ id: 3143244, components: { pm2_5: 5 } });
  });

  test('without a row is an answer: there is nothing of that time', async () => {
    const { source } = answering(200, answerOf());
    expect(await source.history.fetch(oslo, at(0), at(2), call)).toEqual({ kind: 'records', records: [] });
  });
});
