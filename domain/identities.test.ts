import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  batchJobId,
  deadLetterReplayId,
  flinkId,
  ingestScheduleId,
  jobActorId,
  recordsScheduleId,
} from './identities.ts';

describe('the id that Flink knows something by', () => {
  test('has 32 hexadecimal digits and is the same each time', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(flinkId(text)).toMatch(/^[0-9a-f]{32}$/);
        expect(flinkId(text)).toBe(flinkId(text));
      }),
    );
  });

  test('never changes with a release: a job in Flink is found by it', () => {
    expect(flinkId('weather-stream/0123456789ab/1')).toBe('651875bb06aaaf78f96c715577a501bb');
    expect(flinkId('weather-stream/savepoint/before-upgrade')).toBe('a09267778302b7537f2c84ac051828f7');
  });

  test('begins differently for one attempt and the next: Flink names savepoints by the first six digits', () => {
    const attempts = Array.from({ length: 1_000 }, (_, attempt) =>
      flinkId(`weather-stream/0123456789ab/${attempt}`).slice(0, 6),
    );
    expect(new Set(attempts).size).toBe(attempts.length);
  });

  test('is another for each of the thousands of things that the system names', () => {
    const names: string[] = [];
    for (const job of ['weather-stream', 'weather-stream-2', 'recompute-hours'])
      for (const version of ['0123456789ab', '0123456789ac', 'ba9876543210'])
        for (let attempt = 1; attempt <= 500; attempt += 1) {
          const jobId = flinkId(`${job}/${version}/${attempt}`);
          names.push(`${job}/${version}/${attempt}`, `${job}/savepoint/${version}-${attempt}`);
          names.push(`${jobId}/suspend`, `${jobId}/${1_800_000_000_000 + attempt * 21_600_000}`);
          names.push(`file:/savepoints/savepoint-${jobId.slice(0, 6)}-${attempt}/dispose`);
        }
    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBeGreaterThan(20_000);
    expect(new Set(names.map(flinkId)).size).toBe(names.length);
  });
});

describe('the id of a workflow', () => {
  test('says what it stands for', () => {
    expect(jobActorId('weather-stream')).toBe('flink-job/weather-stream');
    expect(ingestScheduleId('weather', 'mock', 0)).toBe('ingest/weather/mock/0');
    expect(recordsScheduleId('weather')).toBe('account-for-records/weather');
  });

  test('of a batch job is the same in whatever order its parameters are given', () => {
    const [from, to] = ['2026-01-31T00:00:00Z', '2026-02-01T00:00:00Z'];
    const id = `batch-job/recompute-hours/from=${from},to=${to}`;
    expect(batchJobId('recompute-hours', { from, to })).toBe(id);
    expect(batchJobId('recompute-hours', { to, from })).toBe(id);
    expect(batchJobId('recompute-hours', {})).toBe('batch-job/recompute-hours');
  });
});

test('a replay of dead letters is named by what it selects, in whatever order that was given', () => {
  const id = 'replay-dead-letters/weather/offset=7,partition=0,topic=weather.repairs.v1';
  expect(deadLetterReplayId('weather', { topic: 'weather.repairs.v1', partition: 0, offset: 7 })).toBe(id);
  expect(deadLetterReplayId('weather', { offset: 7, partition: 0, topic: 'weather.repairs.v1' })).toBe(id);
  expect(deadLetterReplayId('weather', { all: true })).toBe('replay-dead-letters/weather/all=true');
});
