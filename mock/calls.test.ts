import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { eventually } from '../tests/support/eventually.ts';
import { loadCities } from './cities.ts';
import { keyFingerprint } from './keys.ts';
import { newestObservationTime } from './publication.ts';
import { routes } from './routes.ts';
import type { ServedCall } from './served-log.ts';
import { type Mock, type MockOptions, startMock } from './server.ts';

const cities = loadCities(fileURLToPath(new URL('../sql/seed/locations.csv', import.meta.url)));
const london = 2643743;
const weather = `/data/2.5/weather?id=${london}`;
const nowMs = Date.parse('2026-01-01T12:34:56.789Z');
const stepSeconds = 600;

const mocks: Mock[] = [];
afterEach(async () => {
  await Promise.all(mocks.splice(0).map((mock) => mock.close()));
});

async function start(options: Partial<MockOptions> = {}): Promise<Mock> {
  const mock = await startMock({
    port: 0,
    seed: 'hourglass',
    stepSeconds,
    cities,
    now: () => nowMs,
    ...options,
  });
  mocks.push(mock);
  return mock;
}

/** What a client sees: a whole answer, or the code of why it has none. */
async function ask(mock: Mock, target: string, init: RequestInit = {}) {
  try {
    const response = await fetch(`${mock.url}${target}`, init);
    const body = await response.text();
    return { status: response.status, body, type: response.headers.get('content-type') };
  } catch (error) {
    const { cause, name } = error as Error & { cause?: { code?: string } };
    return { failed: cause?.code ?? name };
  }
}

const askWeather = (mock: Mock, key = 'any') => ask(mock, `${weather}&appid=${key}`);

const outcomes = (mock: Mock): Partial<ServedCall>[] =>
  mock.served().map(({ status, fault, inFull }) => ({ status, fault, inFull }));

const dtOf = (body: string | undefined): number => JSON.parse(body ?? '').dt;

describe('the limit of a key', () => {
  test('is that of the plan it is named after, over a sliding minute', async () => {
    let clockMs = nowMs;
    const mock = await start({ now: () => clockMs });
    const statuses: (number | undefined)[] = [];
    for (let call = 0; call < 62; call += 1) statuses.push((await askWeather(mock, 'free')).status);
    expect(statuses).toEqual([...Array(60).fill(200), 429, 429]);
    expect((await askWeather(mock)).status).toBe(200);
    clockMs += 59_999;
    expect(await askWeather(mock, 'free')).toEqual({
      status: 429,
      body: '{"cod":429, "message": "Your account is temporary blocked due to exceeding of requests limitation of your subscription type. Please choose the proper subscription https://openweathermap.org/price"}',
      type: 'application/json; charset=utf-8',
    });
    clockMs += 1;
    expect((await askWeather(mock, 'free')).status).toBe(200);
    expect([mock.maxCallsInAnyMinute('free'), mock.maxCallsInAnyMinute('any')]).toEqual([63, 1]);
    expect(mock.maxCallsInAnyMinute('never seen')).toBe(0);
  });

  test('of any other key is the limit of the mock, and a wrong path or a refused key does not count', async () => {
    const mock = await start({ callsPerMinute: 2 });
    for (const target of ['/elsewhere?appid=k', `${weather}&appid=bad`, weather]) await ask(mock, target);
    expect((await ask(mock, `${weather}&appid=k`, { method: 'DELETE' })).status).toBe(405);
    const statuses = [];
    for (let call = 0; call < 3; call += 1) statuses.push((await askWeather(mock, 'k')).status);
    expect(statuses).toEqual([200, 200, 429]);
  });

  test('holds under calls that arrive at once', async () => {
    const mock = await start({ callsPerMinute: 50 });
    const answers = await Promise.all(Array.from({ length: 80 }, () => askWeather(mock, 'k')));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(50);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(30);
  });
});

describe('the plan of a key', () => {
  test.each([...routes])('%s is closed to "free" when it needs more than a key', async (path, { needs }) => {
    const mock = await start();
    const target = `${path}?lat=51.5&lon=-0.1&q=London&zip=94040,us&type=hour`;
    const [free, startup] = [
      await ask(mock, `${target}&appid=free`),
      await ask(mock, `${target}&appid=startup`),
    ];
    if (needs === 'key') return expect(free).toEqual(startup);
    expect(free.body).not.toBe(startup.body);
    expect(free.status).toBe(401);
    expect(JSON.parse(free.body ?? '').message.startsWith('Please note')).toBe(needs === 'one-call');
  });
});

describe('the methods', () => {
  test('HEAD has the headers of the answer and no body, POST the answer, and others are refused', async () => {
    const mock = await start();
    const { body } = await askWeather(mock);
    const head = await fetch(`${mock.url}${weather}&appid=k`, { method: 'HEAD' });
    expect(head.headers.get('content-length')).toBe(String(Buffer.byteLength(body ?? '')));
    expect([head.status, await head.text()]).toEqual([200, '']);
    expect(await ask(mock, `${weather}&appid=k`, { method: 'POST', body: 'ignored' })).toMatchObject({
      body,
    });
    const refused = await fetch(`${mock.url}${weather}&appid=k`, { method: 'PUT' });
    expect([refused.status, refused.headers.get('allow')]).toEqual([405, 'GET, HEAD, POST']);
    expect(mock.served().map(({ method, inFull }) => [method, inFull])).toEqual([
      ['GET', true],
      ['HEAD', false],
      ['POST', true],
      ['PUT', true],
    ]);
  });

  test('a slash behind the path changes nothing', async () => {
    const mock = await start();
    const { body } = await askWeather(mock);
    expect(await ask(mock, `/data/2.5/weather/?id=${london}&appid=k`)).toMatchObject({ status: 200, body });
  });
});

describe('what a client sees of a fault', () => {
  test.each([
    ['serverError', { status: 500, body: '{"cod":"500","message":"Internal server error"}' }],
    ['gatewayPage', { status: 502, type: 'text/html', body: expect.stringContaining('502 Bad Gateway') }],
    ['htmlPage', { status: 200, type: 'text/html', body: expect.stringMatching(/^<html>/) }],
    ['truncated', { failed: 'UND_ERR_SOCKET' }],
    ['reset', { failed: 'ECONNRESET' }],
  ] as const)('%s', async (kind, seen) => {
    const mock = await start({ faults: { [kind]: 1 } });
    expect(await askWeather(mock)).toMatchObject(seen);
    const status = kind === 'reset' ? null : 'status' in seen ? seen.status : 200;
    const served = () => Promise.resolve(outcomes(mock));
    await eventually('the outcome is known', served, (calls) => calls.length === 1);
    const inFull = kind !== 'truncated' && kind !== 'reset';
    expect(outcomes(mock)).toEqual([{ status, fault: kind, inFull }]);
  });

  test('a wrong content type has the true body', async () => {
    const mock = await start();
    const { body } = await askWeather(mock);
    mock.replaceFaults({ wrongContentType: 1 });
    expect(await askWeather(mock)).toEqual({ status: 200, body, type: 'text/html; charset=utf-8' });
  });

  test('a truncated answer promises the whole, sends half and ends', async () => {
    const mock = await start({ faults: { truncated: 1 } });
    const socket = connect(mock.port, '127.0.0.1');
    socket.write(`GET ${weather}&appid=k HTTP/1.1\r\nhost: mock\r\n\r\n`);
    let text = '';
    for await (const chunk of socket.setEncoding('utf8')) text += chunk;
    const [head = '', half = ''] = text.split('\r\n\r\n');
    const promised = Number(/content-length: (\d+)/.exec(head)?.[1]);
    expect(Buffer.byteLength(half)).toBe(Math.floor(promised / 2));
    mock.replaceFaults({});
    expect(Buffer.byteLength((await askWeather(mock)).body ?? '')).toBe(promised);
  });

  test('a stale observation is one to six whole steps older than the newest, at any moment', async () => {
    let clockMs = nowMs;
    const mock = await start({ faults: { stale: 1 }, now: () => clockMs });
    const steps = new Set<number>();
    for (let call = 0; call < 100; call += 1) {
      clockMs += 37_000;
      const dt = dtOf((await askWeather(mock)).body);
      const question = { seed: 'hourglass', cityId: london, atSeconds: clockMs / 1000, stepSeconds };
      steps.add((newestObservationTime(question) - dt) / stepSeconds);
      expect(mock.served().at(-1)).toMatchObject({ fault: 'stale', inFull: true, dt });
    }
    expect([...steps].sort()).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('an answer that tells no observation is never stale, nor is one without a body truncated', async () => {
    const mock = await start({ faults: { stale: 1 } });
    expect((await ask(mock, '/data/2.5/weather?id=1&appid=k')).status).toBe(404);
    mock.replaceFaults({ truncated: 1 });
    expect((await ask(mock, `${weather}&appid=k`, { method: 'HEAD' })).status).toBe(200);
    expect(mock.served().map(({ fault }) => fault)).toEqual([null, null]);
  });

  test('latency keeps the true answer back for its time', async () => {
    const mock = await start({ faults: { latency: { share: 1, ms: 150 } } });
    const before = performance.now();
    expect((await askWeather(mock)).status).toBe(200);
    expect(performance.now() - before).toBeGreaterThanOrEqual(149);
    expect(outcomes(mock)).toEqual([{ status: 200, fault: 'latency', inFull: true }]);
  });

  test('a client that gives up waiting leaves a call without an answer', async () => {
    const mock = await start({ faults: { latency: { share: 1, ms: 60_000 } } });
    const signal = AbortSignal.timeout(50);
    expect(await ask(mock, `${weather}&appid=k`, { signal })).toEqual({ failed: 'TimeoutError' });
    const served = () => Promise.resolve(outcomes(mock));
    await eventually('the outcome is known', served, (calls) => calls.length === 1);
    expect(mock.served()).toMatchObject([{ status: null, dt: null, cityId: london, inFull: false }]);
  });

  test('a burst of 429 is refused like a used-up limit, and takes nothing from the limit of others', async () => {
    const mock = await start({ faults: { rateLimit: { share: 1, seconds: 10 } } });
    expect(JSON.parse((await askWeather(mock)).body ?? '')).toMatchObject({ cod: 429 });
    expect(outcomes(mock)).toEqual([{ status: 429, fault: 'rateLimit', inFull: true }]);
  });

  test('an outage of a city leaves the others alone, and ends when the faults are replaced', async () => {
    const mock = await start({ faults: { outages: [{ cities: [london], answer: 'serverError' }] } });
    expect((await askWeather(mock)).status).toBe(500);
    expect((await ask(mock, '/data/2.5/weather?q=London&appid=k')).status).toBe(500);
    expect((await ask(mock, '/data/2.5/weather?q=Oslo&appid=k')).status).toBe(200);
    mock.replaceFaults({});
    expect((await askWeather(mock)).status).toBe(200);
  });

  test('silence lasts until the client or the mock ends it', async () => {
    const mock = await start({ faults: { outages: [{ answer: 'silence' }] } });
    const asking = askWeather(mock);
    await expect(
      Promise.race([asking, new Promise((done) => setTimeout(done, 100, 'silent'))]),
    ).resolves.toBe('silent');
    await mock.close();
    expect(await asking).toEqual({ failed: 'UND_ERR_SOCKET' });
    const served = () => Promise.resolve(outcomes(mock));
    await eventually('the outcome is known', served, (calls) => calls.length === 1);
    expect(outcomes(mock)).toEqual([{ status: null, fault: 'outage', inFull: false }]);
  });

  test('a key that is refused, or has used up its limit, meets no fault', async () => {
    const mock = await start({ callsPerMinute: 1, faults: { serverError: 1 } });
    const statuses = [];
    for (const key of ['bad', 'k', 'k']) statuses.push((await askWeather(mock, key)).status);
    expect(statuses).toEqual([401, 500, 429]);
  });

  test('the same seed gives the same calls the same faults', async () => {
    const faults = { serverError: 0.3, gatewayPage: 0.3 };
    const statusesOf = async (mock: Mock) => {
      const statuses = [];
      for (let call = 0; call < 40; call += 1) statuses.push((await askWeather(mock)).status);
      return statuses;
    };
    const [one, two, other] = await Promise.all([
      start({ faults }).then(statusesOf),
      start({ faults }).then(statusesOf),
      start({ faults, seed: 'another' }).then(statusesOf),
    ]);
    expect(two).toEqual(one);
    expect(other).not.toEqual(one);
  });
});

describe('what the mock remembers', () => {
  test('every call with its key, path, city, observation and outcome', async () => {
    const mock = await start();
    const { body } = await askWeather(mock, 'k');
    await ask(mock, '/data/2.5/weather?q=nowhere&appid=k');
    await ask(mock, weather);
    await ask(mock, `/${'long'.repeat(50)}?appid=bad`);
    const usual = { arrivedAtMs: nowMs, method: 'GET', path: '/data/2.5/weather', fault: null, inFull: true };
    const key = keyFingerprint('k');
    expect(mock.served()).toEqual([
      { ...usual, sequence: 1, key, cityId: london, dt: dtOf(body), status: 200 },
      { ...usual, sequence: 2, key, cityId: null, dt: null, status: 404 },
      { ...usual, sequence: 3, key: null, cityId: null, dt: null, status: 401 },
      {
        ...{ ...usual, sequence: 4, key: keyFingerprint('bad'), cityId: null, dt: null, status: 404 },
        path: `/${'long'.repeat(50)}`.slice(0, 100),
      },
    ]);
  });

  test('the calls of one kept-alive connection as those of many', async () => {
    const mock = await start();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const path = `${weather}&appid=k`;
    for (let call = 0; call < 3; call += 1) {
      const sent = request({ port: mock.port, path, agent }).end();
      const [response] = (await once(sent, 'response')) as [IncomingMessage];
      response.resume();
      await once(response, 'end');
    }
    agent.destroy();
    expect(outcomes(mock)).toEqual(Array(3).fill({ status: 200, fault: null, inFull: true }));
  });
});
