import { describe, expect, test } from 'vitest';
import { inspectAirRecord } from './contract.ts';

const publishedAt = new Date('2026-01-01T12:00:00Z');
const inspect = (value: unknown) =>
  inspectAirRecord({
    value: value === null ? null : Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)),
    publishedAt,
  });
const dt = publishedAt.getTime() / 1_000;
const whole = { id: 7, dt, coord: { lon: 1, lat: 2 }, main: { aqi: 2 }, components: { co: 200, pm2_5: 4.1 } };

describe('a record of the air', () => {
  test('fits with its key and one measurement, whichever', () => {
    const fits = { kind: 'fits', entityId: 7, observedAt: publishedAt };
    expect(inspect(whole)).toEqual(fits);
    expect(inspect({ id: 7, dt, main: { aqi: 2 } })).toEqual(fits);
    expect(inspect({ id: '7', dt: String(dt), components: { nh3: '0.5' } })).toEqual(fits);
    // What is impossible is stored as not known; the record is none the worse.
    expect(inspect({ ...whole, main: { aqi: 9 }, components: { co: -9999 } })).toEqual(fits);
  });

  test.each([
    ['no value at all', null, 'no value'],
    ['what is no JSON', '{', 'not JSON'],
    ['no id', { ...whole, id: undefined }, '"id" is missing'],
    ['an id of one and a half', { ...whole, id: 1.5 }, '"id" is 1.5'],
    ['a time in milliseconds', { ...whole, dt: dt * 1_000 }, 'milliseconds'],
    ['a time to come', { ...whole, dt: dt + 601 }, 'lies after'],
    ['nothing that was measured', { id: 7, dt }, 'neither main nor components'],
    ['components without a number', { id: 7, dt, components: { co: null } }, 'the field "components" is'],
    ['an index that is no number', { id: 7, dt, main: { aqi: 'good' } }, 'the field "main" is'],
  ])('with %s is poison, and why is said', (_, value, reason) => {
    expect(inspect(value)).toEqual({ kind: 'poison', reason: expect.stringContaining(reason) });
  });
});
