import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadCities } from './cities.ts';
import { keyFingerprint } from './keys.ts';
import { type Mock, startMock } from './server.ts';

const cities = loadCities(fileURLToPath(new URL('../sql/seed/locations.csv', import.meta.url)));
const nowMs = Date.parse('2026-01-01T12:34:56.789Z');
const options = { port: 0, seed: 'hourglass', stepSeconds: 600, cities, callsPerMinute: 3, now: () => nowMs };

let mock: Mock;
beforeEach(async () => {
  mock = await startMock({ ...options, adminPort: 0 });
});
afterEach(() => mock.close());

async function admin(method: string, target: string, body?: string) {
  const init = body === undefined ? { method } : { method, body };
  const response = await fetch(`${mock.adminUrl}${target}`, init);
  expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
  return { status: response.status, value: (await response.json()) as Record<string, unknown> };
}

const weather = async (key = 'k') => (await fetch(`${mock.url}/data/2.5/weather?q=Oslo&appid=${key}`)).status;

describe('/faults', () => {
  test('sets, tells and ends what goes wrong', async () => {
    expect(await admin('GET', '/faults')).toEqual({ status: 200, value: {} });
    const faults = { serverError: 1, outages: [{ cities: [1], answer: 'reset' }] };
    expect(await admin('PUT', '/faults', JSON.stringify(faults))).toEqual({ status: 200, value: faults });
    expect(await admin('GET', '/faults')).toEqual({ status: 200, value: faults });
    expect(await weather()).toBe(500);
    expect(await admin('DELETE', '/faults')).toEqual({ status: 200, value: {} });
    expect(await weather()).toBe(200);
  });

  test('replaces the whole', async () => {
    await admin('PUT', '/faults', '{"serverError":1}');
    await admin('PUT', '/faults', '{"latency":{"share":0,"ms":1}}');
    expect(await weather()).toBe(200);
  });

  test('refuses what describes no faults with one sentence, and leaves those in force', async () => {
    await admin('PUT', '/faults', '{"gatewayPage":1}');
    for (const [body, error] of [
      ['{"serverError":2}', 'The field "serverError" is 2, expected a number from 0 to 1.'],
      ['{', expect.stringContaining('is no JSON')],
      ['', expect.stringContaining('is no JSON')],
    ])
      expect(await admin('PUT', '/faults', body)).toEqual({ status: 400, value: { error } });
    expect(await weather()).toBe(502);
  });

  test('refuses a body beyond a megabyte', async () => {
    const { status, value } = await admin('PUT', '/faults', ' '.repeat(1_000_001));
    expect([status, value['error']]).toEqual([413, expect.stringContaining('longer than 1000000 bytes')]);
  });
});

describe('/served', () => {
  test('is read page by page, each beginning where the last ended', async () => {
    for (const key of ['k', 'bad', 'k']) await weather(key);
    const first = await admin('GET', '/served?limit=2');
    expect(first.value).toEqual({ calls: mock.served().slice(0, 2), next: 2 });
    const second = await admin('GET', `/served?after=${first.value['next']}`);
    expect(second.value).toEqual({ calls: mock.served().slice(2), next: 3 });
    expect((await admin('GET', '/served?after=3')).value).toEqual({ calls: [], next: 3 });
  });

  test.each([
    ['after=-1', 'after is "-1": expected a whole number from 0 to 9007199254740991.'],
    ['limit=10001', 'limit is "10001": expected a whole number from 0 to 10000.'],
    ['limit=', 'limit is "": expected a whole number from 0 to 10000.'],
  ])('refuses %s with one sentence', async (query, error) => {
    expect(await admin('GET', `/served?${query}`)).toEqual({ status: 400, value: { error } });
  });
});

describe('/calls', () => {
  test('tells of each key what it sent and what was let in', async () => {
    for (const key of ['bad', 'k', 'k', 'k', 'k']) await weather(key);
    expect((await admin('GET', '/calls')).value).toEqual({
      keys: [
        {
          ...{ key: keyFingerprint('bad'), callsPerMinute: 3, total: 1, refused: 1 },
          ...{ mostAcceptedInAnyMinute: 0, mostInAnyMinute: 1 },
        },
        {
          ...{ key: keyFingerprint('k'), callsPerMinute: 3, total: 4, refused: 1 },
          ...{ mostAcceptedInAnyMinute: 3, mostInAnyMinute: 4 },
        },
      ],
    });
  });
});

describe('the admin', () => {
  test('refuses what it does not have with one sentence', async () => {
    expect(await admin('GET', '/toString')).toEqual({
      status: 404,
      value: { error: "The mock's admin has no /toString: ask /faults, /served, /calls." },
    });
    expect(await admin('POST', '/faults')).toEqual({
      status: 405,
      value: { error: '/faults takes GET, PUT, DELETE, not POST.' },
    });
  });

  test('is not there unless asked for, and ends with the mock', async () => {
    const { adminUrl } = mock;
    await mock.close();
    await expect(fetch(`${adminUrl}/faults`)).rejects.toThrow('fetch failed');
    mock = await startMock(options);
    expect(mock.adminUrl).toBeUndefined();
  });

  test('whose port is in use keeps the mock from starting, and frees the port of the API', async () => {
    const adminPort = Number(new URL(mock.adminUrl ?? '').port);
    const spare = await startMock(options);
    await spare.close();
    const starting = startMock({ ...options, port: spare.port, adminPort });
    await expect(starting).rejects.toMatchObject({ code: 'EADDRINUSE', port: adminPort });
    const again = await startMock({ ...options, port: spare.port });
    await again.close();
  });
});
