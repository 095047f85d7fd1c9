import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { beginCheck, changedHoursSince, endCheck, latestCheck } from '../../clients/completeness-checks.ts';
import { judgedWindows, windowChanges } from '../../clients/completeness-ledger.ts';
import { COMPLETENESS_REASONS, COMPLETENESS_VERDICTS } from '../../domain/completeness-verdicts.ts';
import { createJudgedWorld, type JudgedWorld, LIVE, PIPELINE } from '../support/judged-world.ts';

const DAY = '2024-02-29';
const HOUR = `${DAY}T10:00:00Z`;
const KEY = `${DAY}T10`;
/** Of a location with a cadence of ten minutes whose slots begin in the minute `id % 10`. */
const minute = (id: number, slot: number, within = 1): string =>
  `${DAY}T10:${String((id % 10) + slot * 10 + within).padStart(2, '0')}:00Z`;
const minutes = (id: number, slots: readonly number[], within?: number): string[] =>
  slots.map((slot) => minute(id, slot, within));
const all = [0, 1, 2, 3, 4, 5] as const;

let world: JudgedWorld;
beforeEach(async () => {
  world = await createJudgedWorld();
});
afterEach(() => world.close());

const verdictOf = async (id: number, hour = KEY) => {
  const row = (await world.ledger()).get(`${id}/${hour}`);
  return row === undefined ? 'none' : `${row.verdict}/${row.reason}`;
};
const evidenceOf = async (id: number) => (await world.ledger()).get(`${id}/${KEY}`)?.evidence;

/** Runs of shard 0 in every minute of the hour and the one after; none of shard 1. */
async function watched(ids: readonly number[], unchangedIds: readonly number[] = []): Promise<void> {
  await world.watch(ids.map((id) => ({ id })));
  await world.run(0, HOUR, 120, unchangedIds);
}

describe('each verdict, and each reason with its proof', () => {
  test('complete: as many observations as the location is to have, and their aggregate', async () => {
    await watched([20, 21]);
    await world.observe(20, minutes(20, all));
    // Who has enough does not need a run for each of them.
    await world.observe(21, minutes(21, [0, 2, 3, 5]));
    await world.aggregate([20, 21]);
    expect(await world.judge(HOUR, 1)).toMatchObject({ byVerdict: { complete: 2 }, changed: 2 });
    expect(await evidenceOf(20)).toBeNull();
    expect(await world.changes()).toEqual([]);
  });

  test('open: the hour is not over', async () => {
    await watched([20]);
    await world.judge(HOUR, 1, { overUntil: new Date(`${DAY}T10:59:59Z`) });
    expect(await verdictOf(20)).toBe('open/null');
    await world.judge(HOUR, 1);
    expect(await verdictOf(20)).toBe('missing/unknown');
  });

  test('run missing: no run was completed in the time of a poll', async () => {
    await watched([21, 23]);
    await world.observe(23, minutes(23, [0]));
    await world.aggregate([23]);
    await world.judge(HOUR, 1);
    expect(await verdictOf(21)).toBe('missing/run_missing');
    expect(await verdictOf(23)).toBe('partial/run_missing');
    expect(await evidenceOf(21)).toEqual({
      missingRuns: all.map((slot) => ({
        shard: 1,
        from: `${DAY}T10:${slot}1:00+00:00`,
        to: slot === 5 ? `${DAY}T11:01:00+00:00` : `${DAY}T10:${slot + 1}1:00+00:00`,
      })),
    });
  });

  test('a run that broke off without a word is missing, too', async () => {
    await watched([20]);
    await world.sql.query(`update ingest_runs set status = 'failed'`);
    await world.judge(HOUR, 1);
    expect(await verdictOf(20)).toBe('missing/run_missing');
  });

  test('API failed: a poll has an exception, and was not answered in the same slot later', async () => {
    await watched([20, 22]);
    await world.observe(20, minutes(20, [0, 1]));
    await world.except(0, 20, minutes(20, [2, 3, 4, 5], 0), 'failed');
    await world.observe(22, minutes(22, [0, 1]));
    await world.except(0, 22, minutes(22, [0, 1], 0), 'failed');
    await world.aggregate([20, 22]);
    await world.judge(HOUR, 1);
    expect(await verdictOf(20)).toBe('partial/api_failed');
    expect((await evidenceOf(20))?.['failedCalls']).toContainEqual([
      { shard: 0, scheduledAt: `${DAY}T10:20:00+00:00`, outcome: 'failed', reason: 'so it was' },
    ]);
    // It failed, but was answered in the next minute; the other polls have nothing on record.
    expect(await verdictOf(22)).toBe('partial/unknown');
  });

  test('the source had nothing new: every poll was made and answered, and what it brought is stored', async () => {
    await watched([20, 22, 24], [24]);
    await world.observe(20, minutes(20, [0, 1]));
    for (const slot of [2, 3, 4, 5]) await world.run(0, minute(20, slot, 0), 1, [20]);
    await world.observe(22, minutes(22, [0, 1]));
    for (const slot of [2, 3, 4]) await world.run(0, minute(22, slot, 0), 1, [22]);
    await world.aggregate([20, 22]);
    await world.judge(HOUR, 1);
    expect(await verdictOf(20)).toBe('complete_at_source/source_unchanged');
    // One of its polls has nothing on record.
    expect(await verdictOf(22)).toBe('partial/unknown');
    expect((await evidenceOf(22))?.['unaccountedPolls']).toEqual([
      { shard: 0, from: `${DAY}T10:52:00+00:00`, to: `${DAY}T11:02:00+00:00` },
    ]);
    expect(await verdictOf(24)).toBe('complete_at_source/source_unchanged');
    // Of an hour without anything the history is asked, where there is one.
    await world.judge(HOUR, 1, { historyFrom: new Date('2024-01-01T00:00Z') });
    expect(await verdictOf(24)).toBe('missing/source_unchanged');
    expect((await evidenceOf(24))?.['answeredPolls']).toHaveLength(6);
    expect(await verdictOf(20)).toBe('complete_at_source/source_unchanged');
  });

  test('an hour in which no poll is due has nothing that could be missing', async () => {
    await world.watch([{ id: 22, cadence: 180, least: 1 }]);
    await world.judge(`${DAY}T09:00:00Z`, 3, { historyFrom: new Date('2024-01-01T00:00Z') });
    expect(await verdictOf(22, `${DAY}T09`)).toBe('missing/run_missing');
    expect(await verdictOf(22, `${DAY}T10`)).toBe('complete_at_source/source_unchanged');
  });

  test('record rejected: at its poll, by the stream, or by whoever its headers name', async () => {
    await watched([20, 22, 24, 26]);
    await world.except(0, 20, minutes(20, all, 0), 'rejected');
    const offset = await world.letter(22, minute(22, 0));
    await world.letter(24, `${DAY}T13:00:00Z`, { scheduled_at: minute(24, 0) });
    await world.letter(26, `${DAY}T13:00:00Z`, { scheduled_at: 'poison' });
    await world.judge(HOUR, 1);
    for (const id of [20, 22, 24]) expect(await verdictOf(id)).toBe('missing/record_rejected');
    expect((await evidenceOf(22))?.['deadLetters']).toEqual([
      { topic: LIVE, partition: 0, offset, reason: 'no JSON' },
    ]);
    expect(await verdictOf(26)).toBe('missing/unknown');
    // Letters of another pipeline's topic, of whatever has the same id there, prove nothing here.
    await world.judge(HOUR, 1, { letterTopics: ['another.v1'] });
    expect(await verdictOf(22)).toBe('missing/unknown');
    await world.judge(HOUR, 1);
    expect(await verdictOf(22)).toBe('missing/record_rejected');
    // What was replayed and is stored proves nothing any more.
    await world.sql.query(`update dead_letters set outcome = 'stored'`);
    await world.judge(HOUR, 1);
    expect(await verdictOf(22)).toBe('missing/unknown');
  });

  test('times that no calendar has, in a header or of a record, break no check', async () => {
    await watched([20, 22]);
    const never = '294276-12-31T23:59:59.999Z';
    await world.letter(20, minute(20, 0), { scheduled_at: never });
    await world.observe(22, minutes(22, [0]));
    await world.sql.query('update observations set published_at = $1, revision = 1', [never]);
    await world.aggregate([22]);
    await world.judge(HOUR, 1);
    expect(await verdictOf(20)).toBe('missing/unknown');
    expect(await verdictOf(22)).toBe('partial/unknown');
  });

  test('runs are found that began in one quarter of an hour and published in the next, and those of another cut of the registry', async () => {
    await world.watch([{ id: 20, least: 7 }, { id: 21 }, { id: 22 }, { id: 23 }]);
    await world.observe(20, minutes(20, all));
    await world.sql.query(
      `update observations set published_at = observed_at + interval '6 minutes', revision = 1`,
    );
    await world.sql.query(
      `insert into ingest_runs (pipeline, source, shard, shards, scheduled_at, started_at, finished_at, status, workflow_run_id)
       select '${PIPELINE}', 'a-source', 0, 2, at, at, at + interval '7 minutes', 'completed', 'a-run'
       from generate_series('${HOUR}'::timestamptz, '${DAY}T10:59Z', '10 minutes') as at`,
    );
    // Shard 0 of three has 21, shard 1 has 22, and 23 is in the third.
    await world.run(0, `${DAY}T10:01:00Z`, 60, [21], 3);
    await world.run(1, `${DAY}T10:02:00Z`, 60, [], 3);
    await world.aggregate([20]);
    await world.judge(HOUR, 1);
    expect(await verdictOf(20)).toBe('complete_at_source/source_unchanged');
    expect(await verdictOf(21)).toBe('complete_at_source/source_unchanged');
    expect(await verdictOf(22)).toBe('missing/unknown');
    expect(await verdictOf(23)).toBe('missing/run_missing');
  });

  test('published but not stored: the offset is known', async () => {
    await watched([20, 22]);
    const times = minutes(20, all);
    const [first = 0] = await world.observe(20, times);
    await world.observe(22, minutes(22, all));
    await world.aggregate([20, 22]);
    await world.sql.query('delete from observations where extract(minute from observed_at) < 40');
    const lost = { windowStart: new Date(HOUR), topic: LIVE, partition: 0, offset: first };
    await world.judge(HOUR, 1, { publishedNotStored: [{ entityId: 20, ...lost }] });
    expect(await verdictOf(20)).toBe('mismatched/published_not_stored');
    expect((await evidenceOf(20))?.['published']).toEqual([{ topic: LIVE, partition: 0, offset: first }]);
    expect(await verdictOf(22)).toBe('mismatched/aggregate_wrong');
    await world.sql.query('delete from weather_hourly');
    await world.aggregate([20, 22]);
    await world.judge(HOUR, 1, { publishedNotStored: [{ entityId: 20, ...lost }] });
    expect(await verdictOf(20)).toBe('partial/published_not_stored');
    expect(await verdictOf(22)).toBe('partial/unknown');
  });

  test('mismatched: a figure, the number or the row differs; digits beyond the eleventh do not', async () => {
    const changes = {
      20: 'set temp_avg = temp_avg + 1e-9',
      22: 'set temp_avg = temp_avg * (1 + 1e-14)',
      24: 'set observation_count = 7',
      26: 'set rain_mm = null',
      28: 'set gust_max = 3',
      30: `set last_observed_at = last_observed_at - interval '1 s'`,
    };
    const ids = Object.keys(changes).map(Number);
    await watched([...ids, 32, 34]);
    for (const id of [...ids, 32]) await world.observe(id, minutes(id, all));
    await world.aggregate(ids);
    for (const [id, change] of Object.entries(changes))
      await world.sql.query(`update weather_hourly ${change} where city_id = ${id}`);
    await world.sql.query(
      `insert into weather_hourly select 34, window_start, window_end, 4, temp_avg from weather_hourly where false`,
    );
    await world.judge(HOUR, 1);
    expect(await verdictOf(22)).toBe('complete/null');
    for (const id of [20, 24, 26, 28, 30, 32]) expect(await verdictOf(id)).toBe('mismatched/aggregate_wrong');
    const figures = async (id: number) => Object.keys(Object((await evidenceOf(id))?.['figures']));
    expect(await figures(20)).toEqual(['temp_avg']);
    expect(await figures(24)).toEqual(['observation_count']);
    expect(await figures(26)).toEqual(['rain_mm']);
    expect(await figures(28)).toEqual(['gust_max']);
    expect(await figures(30)).toEqual(['last_observed_at']);
    expect((await world.ledger()).get(`32/${KEY}`)).toMatchObject({ observed: 6, aggregated: null });
  });

  test('a row without any observation is mismatched', async () => {
    await watched([20]);
    await world.observe(20, minutes(20, all));
    await world.aggregate([20]);
    await world.sql.query('delete from observations');
    await world.judge(HOUR, 1);
    expect(await verdictOf(20)).toBe('mismatched/aggregate_wrong');
    expect((await world.ledger()).get(`20/${KEY}`)).toMatchObject({ observed: 0, aggregated: 6 });
  });

  test('behind: the stream has not read it all, so that nothing is wrong yet; what is complete stays so', async () => {
    await watched([20, 22, 23]);
    await world.observe(20, minutes(20, all));
    await world.observe(22, minutes(22, all));
    await world.aggregate([20]);
    const reading = [{ topic: LIVE, partition: 0, committed: 3, end: 9 }];
    await world.judge(HOUR, 1, { isBehind: true, reading });
    expect(await verdictOf(20)).toBe('complete/null');
    expect(await verdictOf(22)).toBe('behind/not_yet_processed');
    expect(await verdictOf(23)).toBe('behind/not_yet_processed');
    expect((await evidenceOf(23))?.['reading']).toEqual(reading);
  });

  test('behind, too, is an hour that differs by a row which the stream has not come to the end of', async () => {
    await watched([20, 22]);
    await world.observe(20, minutes(20, [0, 1, 2, 3, 4]));
    await world.aggregate([20]);
    const [last = 0] = await world.observe(20, minutes(20, [5]));
    const readTo = (committed: number) => ({
      reading: [{ topic: LIVE, partition: 0, committed, end: last + 1 }],
    });
    await world.judge(HOUR, 1, readTo(last));
    expect(await verdictOf(20)).toBe('behind/not_yet_processed');
    expect(await verdictOf(22)).toBe('missing/unknown');
    await world.judge(HOUR, 1, readTo(last + 1));
    expect(await verdictOf(20)).toBe('mismatched/aggregate_wrong');
  });

  test('behind, too, is an hour of which the stream has counted, since the check began, what it has not stored yet', async () => {
    await watched([20, 22]);
    for (const id of [20, 22]) await world.observe(id, minutes(id, all));
    await world.aggregate([20, 22]);
    // The stream does not own an hour of that day any more.
    await world.sql.query('alter table weather_hourly disable trigger hour_never_goes_backwards');
    await world.sql.query(
      `update weather_hourly set origin = case city_id when 20 then 'stream' else 'batch' end`,
    );
    await world.sql.query(`delete from observations where extract(minute from observed_at) > 50`);
    const begunAt = new Date();
    const before = new Date(begunAt.getTime() - 60_000);
    await world.judge(HOUR, 1, { begunAt: before });
    expect(await verdictOf(20)).toBe('behind/not_yet_processed');
    expect(await verdictOf(22)).toBe('mismatched/aggregate_wrong');
    await world.judge(HOUR, 1, { begunAt });
    expect(await verdictOf(20)).toBe('mismatched/aggregate_wrong');
  });

  test('repairing, then repaired: as long as a repair is to load it, and when it has', async () => {
    await watched([21, 23, 25]);
    await world.backfill({ entityId: 21, hour: HOUR, status: 'pending' });
    // Not a repair, and not this hour.
    await world.backfill({ entityId: 23, hour: HOUR, status: 'pending', purpose: 'backfill' });
    await world.backfill({ entityId: 25, hour: `${DAY}T11:00:00Z`, status: 'pending' });
    await world.judge(HOUR, 1);
    expect(await verdictOf(21)).toBe('repairing/run_missing');
    for (const id of [23, 25]) expect(await verdictOf(id)).toBe('missing/run_missing');
    await world.observe(21, minutes(21, all));
    await world.aggregate([21]);
    await world.judge(HOUR, 1);
    expect(await verdictOf(21)).toBe('complete/null');
    await world.sql.query(`update backfill_chunks set status = 'done', finished_at = now()`);
    await world.judge(HOUR, 1);
    expect(await verdictOf(21)).toBe('repaired/null');
    expect(await world.judge(HOUR, 1)).toMatchObject({ changed: 0 });
  });

  test('repairing by a workflow that is no backfill, as long as it is open', async () => {
    await watched([20]);
    await world.observe(20, minutes(20, all));
    await world.judge(HOUR, 1);
    await world.sql.query(`update window_completeness set repair_workflow_id = 'recompute/1', attempts = 1`);
    await world.judge(HOUR, 1, { openRepairs: ['recompute/1'] });
    expect(await verdictOf(20)).toBe('repairing/aggregate_wrong');
    await world.aggregate([20]);
    await world.judge(HOUR, 1);
    expect(await verdictOf(20)).toBe('repaired/null');
    const { rows } = await world.sql.query('select attempts from window_completeness');
    expect(rows).toEqual([{ attempts: 0 }]);
  });

  test('complete at source: a backfill has loaded all that the history has, and nothing was lost since', async () => {
    await watched([20, 22, 24]);
    await world.judge(HOUR, 1, { historyFrom: new Date(0) });
    await world.observe(20, minutes(20, [3]));
    await world.aggregate([20]);
    await world.backfill({ entityId: 20, hour: HOUR, status: 'done' });
    // One whose records could not be had, and one that did not ask the source.
    await world.backfill({
      entityId: 22,
      hour: HOUR,
      status: 'done',
      failures: [{ entityId: 22, reason: 'x' }],
    });
    await world.backfill({ entityId: 24, hour: HOUR, status: 'done', input: 'kafka' });
    await world.judge(HOUR, 1, { historyFrom: new Date(0) });
    expect(await verdictOf(20)).toBe('complete_at_source/source_unchanged');
    for (const id of [22, 24]) expect(await verdictOf(id)).toBe('missing/unknown');
    expect(await world.judge(HOUR, 1, { historyFrom: new Date(0) })).toMatchObject({ changed: 0 });
    await world.sql.query('delete from observations');
    await world.sql.query('delete from weather_hourly');
    for (const _ of [1, 2]) {
      await world.judge(HOUR, 1, { historyFrom: new Date(0) });
      expect(await verdictOf(20)).toBe('missing/unknown');
    }
    await world.backfill({ entityId: 20, hour: HOUR, status: 'done' });
    await world.judge(HOUR, 1, { historyFrom: new Date(0) });
    expect(await verdictOf(20)).toBe('complete_at_source/source_unchanged');
  });

  describe('complete at source no more: rows that were lost since', () => {
    const history = { historyFrom: new Date(0) };
    const lose = async (id: number, slots: readonly number[]) => {
      await world.sql.query('delete from observations where city_id = $1 and observed_at = any($2)', [
        id,
        minutes(id, slots),
      ]);
      await world.sql.query('delete from weather_hourly where city_id = $1', [id]);
      await world.aggregate([id]);
    };
    /** One that a backfill has loaded all of, which is less than is expected. */
    async function exhausted(id: number, slots: readonly number[]): Promise<void> {
      await watched([id]);
      await world.judge(HOUR, 1, history);
      await world.observe(id, minutes(id, slots));
      await world.aggregate([id]);
      await world.backfill({ entityId: id, hour: HOUR, status: 'done' });
      await world.judge(HOUR, 1, history);
      expect(await verdictOf(id)).toBe('complete_at_source/source_unchanged');
    }

    test('are not what the source did not have, whatever the hour was judged in between', async () => {
      await exhausted(20, [1, 2]);
      await lose(20, [1, 2]);
      await world.judge(HOUR, 1, history);
      expect(await verdictOf(20)).toBe('missing/unknown');
      await world.judge(HOUR, 1, { ...history, isBehind: true });
      expect(await verdictOf(20)).toBe('behind/not_yet_processed');
      await world.judge(HOUR, 1, history);
      expect(await verdictOf(20)).toBe('missing/unknown');
      const repair = await world.backfill({ entityId: 20, hour: HOUR, status: 'pending' });
      await world.judge(HOUR, 1, history);
      expect(await verdictOf(20)).toBe('repairing/unknown');
      await world.sql.query(`update backfill_chunks set status = 'failed' where backfill_id = $1`, [repair]);
      await world.judge(HOUR, 1, history);
      expect(await verdictOf(20)).toBe('missing/unknown');
    });

    test('leave it complete at source when they were loaded again', async () => {
      await exhausted(20, [1, 2, 3]);
      await world.sql.query('delete from observations where observed_at = $1', [minute(20, 2)]);
      await world.judge(HOUR, 1, history);
      expect(await verdictOf(20)).toBe('mismatched/aggregate_wrong');
      await world.observe(20, [minute(20, 2)]);
      await lose(20, []);
      await world.judge(HOUR, 1, history);
      expect(await verdictOf(20)).toBe('complete_at_source/source_unchanged');
    });

    test('are counted from the most that was stored, and from what the row counted', async () => {
      await exhausted(20, [1]);
      await world.observe(20, [minute(20, 2)]);
      await world.judge(HOUR, 1, { ...history, isBehind: true });
      expect(await verdictOf(20)).toBe('behind/not_yet_processed');
      await lose(20, []);
      await world.judge(HOUR, 1, history);
      expect(await verdictOf(20)).toBe('complete_at_source/source_unchanged');
      await lose(20, [2]);
      await world.judge(HOUR, 1, history);
      expect(await verdictOf(20)).toBe('partial/unknown');
      // Lost before any check has seen it.
      await world.watch([{ id: 22 }]);
      await world.observe(22, minutes(22, [1, 2]));
      await world.aggregate([22]);
      await world.backfill({ entityId: 22, hour: HOUR, status: 'done' });
      await world.sql.query('delete from observations where city_id = 22 and observed_at = $1', [
        minute(22, 2),
      ]);
      await world.judge(HOUR, 1, history);
      expect(await verdictOf(22)).toBe('mismatched/aggregate_wrong');
      await lose(22, []);
      await world.judge(HOUR, 1, history);
      expect(await verdictOf(22)).toBe('partial/unknown');
    });
  });

  test('a lag of the stream leaves what was settled as it is, as long as nothing of it has changed', async () => {
    await watched([20, 21, 22], [20]);
    await world.judge(HOUR, 1);
    await world.sql.query('update window_completeness set attempts = 3');
    await world.judge(HOUR, 1);
    const settled = [
      'complete_at_source/source_unchanged',
      'unrepairable/run_missing',
      'unrepairable/unknown',
    ];
    const verdicts = () => Promise.all([20, 21, 22].map((id) => verdictOf(id)));
    expect(await verdicts()).toEqual(settled);
    expect((await world.judge(HOUR, 1, { isBehind: true })).changed).toBe(0);
    await world.observe(22, minutes(22, [0]));
    await world.judge(HOUR, 1, { isBehind: true });
    expect(await verdicts()).toEqual([...settled.slice(0, 2), 'behind/not_yet_processed']);
  });

  test('unrepairable: after the last attempt, with the reason', async () => {
    await watched([21]);
    await world.judge(HOUR, 1);
    await world.sql.query('update window_completeness set attempts = 3');
    await world.judge(HOUR, 1, { mostAttempts: 4 });
    expect(await verdictOf(21)).toBe('missing/run_missing');
    await world.judge(HOUR, 1);
    expect(await verdictOf(21)).toBe('unrepairable/run_missing');
    expect(await world.changes()).toEqual(['21/10: new → missing', '21/10: missing → unrepairable']);
  });

  test('are all in this file', async () => {
    const { readFileSync } = await import('node:fs');
    const text = readFileSync(new URL(import.meta.url), 'utf8');
    for (const verdict of COMPLETENESS_VERDICTS) expect(text).toContain(`toBe('${verdict}/`);
    for (const reason of COMPLETENESS_REASONS) expect(text).toContain(`/${reason}')`);
  });
});

describe('what is expected', () => {
  const expectedHours = async (id: number): Promise<string[]> =>
    [...(await world.ledger()).keys()]
      .filter((key) => key.startsWith(`${id}/`))
      .map((key) => key.slice(-5))
      .sort();

  test('is every hour in UTC: on a leap day, and where clocks are put forward and back', async () => {
    await world.watch([{ id: 20, timezone: 'Europe/Oslo' }]);
    for (const day of ['2024-02-29', '2024-03-31', '2024-10-27', '2023-02-28']) {
      await world.sql.query('truncate window_completeness');
      expect((await world.judge(`${day}T00:00:00Z`, 24)).byVerdict.missing).toBe(24);
      const hours = Array.from(
        { length: 24 },
        (_, hour) => `${day.slice(-2)}T${String(hour).padStart(2, '0')}`,
      );
      expect(await expectedHours(20)).toEqual(hours);
    }
  });

  test('lies wholly within the time in which the location is active', async () => {
    await world.watch([
      { id: 20, from: `${DAY}T10:20:00Z` },
      { id: 22, from: `${DAY}T10:00:00Z`, to: `${DAY}T12:59:59Z` },
      { id: 24, from: `${DAY}T13:00:00Z` },
      { id: 26, from: `${DAY}T10:10:00Z`, to: `${DAY}T10:50:00Z` },
    ]);
    // Of what nobody watches, rows may be there.
    await world.observe(99, minutes(90, all));
    await world.judge(`${DAY}T09:00:00Z`, 4);
    expect(await expectedHours(20)).toEqual(['29T11', '29T12']);
    expect(await expectedHours(22)).toEqual(['29T10', '29T11']);
    for (const id of [24, 26, 99]) expect(await expectedHours(id)).toEqual([]);
  });

  test('of a range that is empty, or of a location that is unknown, is nothing', async () => {
    await world.watch([{ id: 20 }]);
    expect((await world.judge(HOUR, 0)).changed).toBe(0);
    expect((await world.judge(HOUR, 1, { entities: [99] })).changed).toBe(0);
    expect((await world.judge(HOUR, 1, { entities: [20] })).changed).toBe(1);
  });
});

/** Two days of many places, of which some hours lack observations, or a row, or have a wrong one. */
async function manyWindows(places: number, hours: number): Promise<ReadonlyMap<string, string>> {
  await world.watch(Array.from({ length: places }, (_, index) => ({ id: index + 1, least: 2 })));
  await world.sql.query(
    `insert into observations (city_id, observed_at, temp, topic, partition_id, record_offset, published_at)
     select id, '${DAY}T00:00Z'::timestamptz + hour * interval '1 hour' + n * interval '20 minutes', id % 7 + n / 3.0, '${LIVE}', 0, 0, now()
     from generate_series(1, ${places}) as id, generate_series(0, ${hours - 1}) as hour, generate_series(0, (id + hour) % 4 - 1) as n`,
  );
  await world.aggregate(Array.from({ length: places }, (_, index) => index + 1));
  await world.sql.query('update weather_hourly set temp_avg = temp_avg + 1 where city_id % 11 = 0');
  const truth = new Map<string, string>();
  for (let id = 1; id <= places; id += 1)
    for (let hour = 0; hour < hours; hour += 1) {
      const observed = Math.min(3, (id + hour) % 4);
      const start = new Date(Date.parse(`${DAY}T00:00Z`) + hour * 3_600_000);
      const wrong = id % 11 === 0 && observed > 0;
      truth.set(
        `${id}/${start.toISOString().slice(0, 13)}`,
        wrong ? 'mismatched' : observed >= 2 ? 'complete' : observed === 1 ? 'partial' : 'missing',
      );
    }
  return truth;
}

describe('the ledger', () => {
  test('says of many windows what is true of each, and judging them again writes nothing', async () => {
    const truth = await manyWindows(1_000, 48);
    const first = await world.judge(`${DAY}T00:00:00Z`, 48);
    expect(first.changed).toBe(truth.size);
    const ledger = await world.ledger();
    const wrong = [...truth].filter(([key, verdict]) => ledger.get(key)?.verdict !== verdict);
    expect(wrong).toEqual([]);
    expect(ledger.size).toBe(truth.size);
    const again = await world.judge(`${DAY}T00:00:00Z`, 48);
    expect(again).toEqual({ byVerdict: first.byVerdict, changed: 0 });
    const versions = (rows: typeof ledger) => [...rows].map(([key, { version }]) => [key, version]);
    expect(versions(await world.ledger())).toEqual(versions(ledger));
    const changes = await world.changes();
    expect(changes).toHaveLength(truth.size - first.byVerdict.complete);
  });

  test('holds each change once, whoever judges at the same time', async () => {
    const truth = await manyWindows(300, 4);
    const judge = () => world.judge(`${DAY}T00:00:00Z`, 4);
    const results = await Promise.all([judge(), judge(), judge()]);
    expect(results.map(({ changed }) => changed).toSorted()).toEqual([0, 0, truth.size]);
    const changes = await world.changes();
    expect(new Set(changes).size).toBe(changes.length);
    await world.sql.query('delete from weather_hourly where city_id = 5');
    const later = await Promise.all([judge(), judge()]);
    expect(later.map(({ changed }) => changed).toSorted()).toEqual([0, 3]);
  });

  test('changes only the windows of the range and of the locations that were asked for', async () => {
    await manyWindows(10, 4);
    await world.judge(`${DAY}T00:00:00Z`, 4);
    const before = await world.ledger();
    await world.sql.query('delete from weather_hourly');
    await world.judge(`${DAY}T01:00:00Z`, 1, { entities: [3] });
    const changed = [...(await world.ledger())].filter(
      ([key, row]) => row.version !== before.get(key)?.version,
    );
    expect(changed.map(([key]) => key)).toEqual([`3/${DAY}T01`].filter(() => (3 + 1) % 4 !== 0));
  });

  test('is shown hour by hour, page by page, by verdict, without what is expected no more', async () => {
    await manyWindows(10, 4);
    await world.judge(`${DAY}T00:00:00Z`, 4);
    const range = {
      pipeline: PIPELINE,
      from: new Date(`${DAY}T00:00Z`),
      to: new Date(`${DAY}T04:00Z`),
    };
    const windows = await judgedWindows(world.database, { ...range, limit: 99 });
    expect(windows).toHaveLength(40);
    expect(windows[0]).toMatchObject({
      entityId: 1,
      name: 'place 1',
      verdict: 'partial',
      reason: 'run_missing',
    });
    const [eighth] = windows.slice(7);
    const page = await judgedWindows(world.database, {
      ...range,
      limit: 5,
      ...(eighth && { after: eighth }),
    });
    expect(page).toEqual(windows.slice(8, 13));
    const missing = await judgedWindows(world.database, { ...range, verdicts: ['missing'], limit: 99 });
    expect(missing).toEqual(windows.filter(({ verdict }) => verdict === 'missing'));
    const one = await judgedWindows(world.database, { ...range, entities: [4], limit: 99 });
    expect(one).toHaveLength(4);
    await world.sql.query(`update locations set active_to = '${DAY}T02:00Z' where city_id = 4`);
    expect(await judgedWindows(world.database, { ...range, entities: [4], limit: 99 })).toHaveLength(2);
  });

  test('tells how a window came to its verdict', async () => {
    await watched([21]);
    await world.judge(HOUR, 1);
    await world.observe(21, minutes(21, all));
    await world.aggregate([21]);
    await world.judge(HOUR, 1);
    const [from, to] = [new Date(`${DAY}T00:00Z`), new Date(`${DAY}T23:00Z`)];
    const changes = await windowChanges(world.database, { pipeline: PIPELINE, entityId: 21, from, to });
    expect(changes).toMatchObject([
      { previousVerdict: null, previousReason: null, verdict: 'missing', reason: 'run_missing' },
      { previousVerdict: 'missing', previousReason: 'run_missing', verdict: 'complete', reason: null },
    ]);
  });
});

describe('the record of checks', () => {
  test('goes on from the one that ended last', async () => {
    expect(await latestCheck(world.database, PIPELINE)).toBeUndefined();
    const check = { pipeline: PIPELINE, id: 'check-1', from: new Date(HOUR), to: new Date(`${DAY}T11:00Z`) };
    const logEnds = [{ topic: LIVE, partition: 0, committed: 3, end: 4 }];
    const begun = await beginCheck(world.database, { ...check, logEnds });
    expect(begun.storedUntil.getTime()).toBeLessThan(begun.beganAt.getTime());
    const again = await beginCheck(world.database, {
      ...check,
      from: new Date(`${DAY}T09:00Z`),
      logEnds: null,
    });
    expect(again).toEqual({ ...begun, judgedFrom: new Date(`${DAY}T09:00Z`) });
    expect(await latestCheck(world.database, PIPELINE)).toBeUndefined();
    const result = await world.judge(HOUR, 1);
    await endCheck(world.database, { pipeline: PIPELINE, id: 'check-1', ...result });
    await beginCheck(world.database, { ...check, id: 'check-2', logEnds });
    expect(await latestCheck(world.database, PIPELINE)).toMatchObject({
      ...{ id: 'check-1', logEnds, counts: result.byVerdict, changed: 0 },
    });
    expect(await latestCheck(world.database, 'another')).toBeUndefined();
  });

  test('names the older hours with rows stored or made anew since then', async () => {
    await world.watch([{ id: 20 }]);
    await world.observe(20, [`${DAY}T03:10:00Z`, `${DAY}T04:10:00Z`, `${DAY}T05:10:00Z`, `${DAY}T09:00:00Z`]);
    await world.aggregate([20]);
    await world.sql.query(`update observations set stored_at = now() - interval '1 day', revision = 1`);
    await world.sql.query(
      `update observations set stored_at = now(), revision = 2 where observed_at = '${DAY}T03:10Z'`,
    );
    await world.sql.query(`alter table weather_hourly disable trigger updated_at_is_the_databases`);
    await world.sql.query(`update weather_hourly set updated_at = now() - interval '1 day'`);
    await world.sql.query(
      `update weather_hourly set updated_at = now() where window_start in ('${DAY}T05:00Z', '${DAY}T09:00Z')`,
    );
    const since = new Date(Date.now() - 3_600_000);
    const hours = await changedHoursSince(world.database, {
      pipeline: PIPELINE,
      since,
      before: new Date(`${DAY}T09:00Z`),
    });
    expect(hours).toEqual([new Date(`${DAY}T03:00Z`), new Date(`${DAY}T05:00Z`)]);
  });
});
