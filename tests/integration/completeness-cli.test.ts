import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectSql, hourglass } from '../support/shared-stack.ts';

/** Locations that nobody polls any more, on days before any other's. */
const [first, second] = [900_000_101, 900_000_102];
const day = '2021-03-01';
const at = (time: string): string => `${day}T${time}:00Z`;
const range = ['--from', day, '--to', '2021-03-02'];

let sql: pg.Client;

const cli = (...args: readonly string[]) => hourglass(['completeness', ...args]);

/** Runs a command that is to succeed, and returns its JSON. */
// biome-ignore lint/suspicious/noExplicitAny: each command has a shape of its own, and the tests say which
async function json(...args: readonly string[]): Promise<any> {
  const { code, stdout, stderr } = await cli(...args, '--json');
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout);
}

async function judged(
  id: number,
  time: string,
  verdict: string,
  reason: string | null = null,
  evidence: object | null = null,
): Promise<void> {
  await sql.query(
    `insert into window_completeness (pipeline, entity_id, window_start, expected, observed, aggregated, verdict, reason, evidence, checked_at)
     values ('weather', $1, $2, 4, 2, 2, $3, $4, $5, now())`,
    [id, at(time), verdict, reason, evidence],
  );
}

async function removeAll(): Promise<void> {
  for (const table of ['window_completeness', 'window_completeness_changes'])
    await sql.query(`delete from ${table} where entity_id in ($1, $2)`, [first, second]);
  await sql.query("delete from ingest_runs where scheduled_at < '2021-04-01'");
  await sql.query('delete from weather_hourly where city_id in ($1, $2)', [first, second]);
  await sql.query('delete from locations where city_id in ($1, $2)', [first, second]);
}

beforeAll(async () => {
  sql = await connectSql();
  await removeAll();
  await sql.query(
    `insert into locations (city_id, name, country, lat, lon, timezone, active_from, active_to)
     select id, 'Testville ' || id % 100, 'NO', 0, 0, 'UTC', '2021-01-01', '2021-04-01' from unnest(array[$1, $2]::bigint[]) as id`,
    [first, second],
  );
  await judged(first, '00:00', 'complete');
  await judged(second, '00:00', 'complete');
  await judged(first, '01:00', 'complete_at_source', 'source_unchanged');
  await judged(second, '02:00', 'partial', 'run_missing', {
    missingRuns: [{ shard: 0, from: '2021-03-01T02:10:00+00:00', to: '2021-03-01T02:20:00+00:00' }],
  });
  await sql.query(
    `insert into window_completeness_changes (pipeline, entity_id, window_start, changed_at, verdict, reason)
     values ('weather', $1, $2, '2021-03-01T03:12:00Z', 'partial', 'run_missing')`,
    [second, at('02:00')],
  );
  await sql.query(
    `insert into ingest_runs (pipeline, source, shard, scheduled_at, started_at, finished_at, status, workflow_run_id, unchanged_ids)
     values ('weather', 'mock', 0, $2, $2, $2, 'completed', 'a-run', array[$1::bigint])`,
    [first, at('01:10')],
  );
});
afterAll(async () => {
  await removeAll();
  await sql.end();
});

describe('hourglass completeness show', () => {
  test('draws a map that is read without colour, the location with the most flawed hours first', async () => {
    const { code, stdout } = await cli('show', ...range);
    expect(code).toBe(0);
    const lines = stdout.split('\n');
    expect(lines).toEqual(expect.arrayContaining(['Testville 2  █ p', 'Testville 1  █S']));
    expect(lines.indexOf('Testville 2  █ p')).toBeLessThan(lines.indexOf('Testville 1  █S'));
    expect(stdout).toMatch(/^█ complete +2 {2}It has the observations/m);
    expect(stdout).toContain(`completeness explain ${second} 2021-03-01T02:00Z`);
    expect(stdout).not.toContain('\u001b[');
  });

  test('gives the same as JSON, of some locations and as many as asked for', async () => {
    expect(await json('show', ...range, '--city', 'Testville 1')).toMatchObject({
      counts: { complete: 1, complete_at_source: 1 },
      locations: [{ entityId: first, flawed: 0 }],
      locationsLeftOut: 0,
      windows: [{ verdict: 'complete' }, { verdict: 'complete_at_source' }],
    });
    expect(await json('show', ...range, '--limit', '1')).toMatchObject({
      locations: [{ entityId: second, flawed: 1 }],
      locationsLeftOut: 1,
    });
  });

  test('says when nothing was judged, and refuses what is no range', async () => {
    expect((await cli('show', '--from', '2019-01-01', '--to', '2019-01-02')).stdout).toContain(
      'completeness check --from 2019-01-01T00:00Z',
    );
    expect(await cli('show', '--from', day, '--to', day)).toMatchObject({ code: 2 });
    expect(await cli('show', '--from', '2021-03-01T00:30Z')).toMatchObject({ code: 2 });
  });
});

describe('hourglass completeness explain', () => {
  test('tells the verdict, the reason with its proof, and what it was before', async () => {
    const { code, stdout } = await cli('explain', 'testville 2', `${day}T02`);
    expect(code).toBe(0);
    expect(stdout).toContain('Reason   No ingestion run was completed for its polls of 02:10.');
    expect(stdout).toContain('  ingest_runs: shard 0 completed no run from 02:10 to 02:20.');
    expect(stdout).toContain('  2021-03-01T03:12:00  partial (run_missing)');
  });

  test('finds the proof again of an hour of which the source has no more', async () => {
    expect(await json('explain', String(first), `${day}T01:00Z`)).toMatchObject({
      window: { verdict: 'complete_at_source' },
      explanation: {
        reason: 'The source had nothing new: its polls of 01:10 were answered.',
        proofs: ['ingest_runs: shard 0, run of 01:10: the location is among its unchanged_ids.'],
      },
    });
  });

  test('names the command that judges an hour which nobody has judged', async () => {
    expect(await cli('explain', String(first), `${day}T20`)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`completeness check --from 2021-03-01T20:00Z`),
    });
    expect(await cli('explain', 'Atlantis', day)).toMatchObject({ code: 1 });
  });
});

describe('hourglass completeness check', () => {
  test('judges what it is asked for, tells what it found, and fails unless every hour is good', async () => {
    const asked = ['--from', '2021-03-02', '--to', '2021-03-03', '--city', String(first)];
    const { code, stdout, stderr } = await cli('check', ...asked, '--no-repair', '--wait', '--json');
    expect([code, stderr]).toEqual([1, expect.stringContaining('24 windows of')]);
    expect(JSON.parse(stdout)).toMatchObject({
      workflowId: expect.stringMatching(/^completeness\/weather-by-hand-20210302T00-20210303T00-/),
      result: 'ended',
      counts: { missing: 24 },
    });
    expect(await json('explain', String(first), '2021-03-02T07')).toMatchObject({
      window: { verdict: 'missing', reason: 'run_missing', attempts: 0 },
    });
  }, 120_000);

  test('needs a range for a location', async () => {
    expect(await cli('check', '--city', String(first))).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--city needs --from'),
    });
  });
});

describe('hourglass audit', () => {
  test('of a range finds an hour whose observations are gone, under either name', async () => {
    await sql.query(
      `insert into weather_hourly (city_id, window_start, window_end, observation_count, temp_avg, first_observed_at, last_observed_at, origin)
       values ($1, $2, $3, 2, 5, $2, $2, 'batch')`,
      [first, at('05:00'), at('06:00')],
    );
    const found = [
      expect.objectContaining({
        ...{ entity_id: first, is_missing: false },
        differences: expect.objectContaining({ observation_count: { observations: 0, hourly: 2 } }),
      }),
    ];
    expect(await json('audit', ...range)).toEqual(found);
    const { stdout } = await hourglass(['audit', ...range, '--json']);
    expect(JSON.parse(stdout)).toEqual(found);
    expect(await hourglass(['audit', '--since', day, '--from', day])).toMatchObject({ code: 2 });
  });
});
