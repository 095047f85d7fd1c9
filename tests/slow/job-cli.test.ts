import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Client } from '@temporalio/client';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectTemporal } from '../../clients/temporal.ts';
import { temporalAddress } from '../../config/addresses.ts';
import { jobActorId } from '../../domain/identities.ts';
import { weather } from '../../pipelines/weather/definition.ts';
import { eventually } from '../support/eventually.ts';
import { config, connectSql, hourglass, stack } from '../support/shared-stack.ts';

const job = weather.job.name;
const HEX = /^[0-9a-f]{32}$/;
let client: Client;
let sql: pg.Client;

/** Runs a job command that is to succeed, and returns its JSON. */
// biome-ignore lint/suspicious/noExplicitAny: each command has a shape of its own, and the tests say which
async function json(...args: readonly string[]): Promise<any> {
  const { code, stdout, stderr } = await hourglass(['job', ...args, '--json']);
  expect([code, stderr.split('\n').filter((line) => line.startsWith('hourglass:'))]).toEqual([0, []]);
  return JSON.parse(stdout);
}

/** Runs a job command that is to succeed, and returns its text. */
async function text(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await hourglass(['job', ...args]);
  expect([code, stderr.split('\n').filter((line) => line.startsWith('hourglass:'))]).toEqual([0, []]);
  return stdout;
}

const stable = () =>
  eventually(
    'the job is stable',
    () => json('show', job),
    ({ state, toldBy }) => state === 'stable' && toldBy === 'actor',
    { withinMs: 120_000 },
  );

beforeAll(async () => {
  client = await connectTemporal(temporalAddress(config), config.values.TEMPORAL_NAMESPACE);
  sql = await connectSql();
  await stable();
});
// The other files need the job.
afterAll(async () => {
  await json('resume', job, '--wait');
  await sql?.end();
  await client?.connection.close();
});

describe('the questions', () => {
  test('list tells each job, its state, what is desired, and what Flink says', async () => {
    const { version, attempt, flinkJobId } = await json('show', job);
    const [listed, ...others] = await json('list');
    expect(others).toEqual([]);
    expect(listed).toEqual({
      ...{ name: job, state: 'stable', desired: 'running', isParked: false, flink: 'RUNNING' },
      ...{ version, desiredVersion: version, attempt, flinkJobId },
      since: expect.any(String),
    });
    expect(Date.parse(listed.since)).toBeLessThanOrEqual(Date.now());
    const [head = '', row = ''] = (await text('list')).split('\n');
    expect(head).toMatch(/^Flink job +State +Desired +In Flink +Version +Submission/);
    expect(row).toMatch(new RegExp(`^${job} +stable +running +RUNNING +${version} +${attempt}\\b`));
  });

  test('list and show say so where Flink does not answer, and tell the rest', async () => {
    const environment = { HOURGLASS_DATA_DIR: stack.dataDir, FLINK_REST_URL: 'http://127.0.0.1:1' };
    const list = await hourglass(['job', 'list', '--json'], environment);
    expect(JSON.parse(list.stdout)).toMatchObject([{ name: job, state: 'stable', flink: 'does not answer' }]);
    const show = await hourglass(['job', 'show', job], environment);
    expect(show.stdout).toMatch(/^In Flink +does not answer$/m);
    expect(show.stdout).toContain(`${job} is stable`);
  });

  test('show tells all of a job, as its actor knows it', async () => {
    await eventually(
      'the job has a checkpoint',
      () => json('show', job),
      ({ flink }) => flink.completedCheckpoints > 0,
    );
    const shown = await json('show', job);
    expect(shown).toMatchObject({
      ...{ name: job, toldBy: 'actor', state: 'stable', desired: 'running', isParked: false },
      description: 'It runs, completes checkpoints, and reads what comes.',
      ...{ reason: null, waitingSavepoints: [], failures: expect.any(Number) },
      // What another test has raised stays open here: nobody listens at the address of this stack's alerts.
      alert: expect.toBeOneOf([null, expect.objectContaining({ kind: 'job-rolled-back' })]),
      flink: { state: 'RUNNING', checkpointAgeMs: expect.any(Number) },
    });
    expect(shown.flinkJobId).toMatch(HEX);
    expect(shown.flink.checkpointAgeMs).toBeLessThan(120_000);
    expect(Date.parse(shown.nextSavepointAt)).toBeGreaterThan(Date.now());
    const lines = await text('show', job);
    expect(lines).toContain(`${job} is stable: It runs, completes checkpoints, and reads what comes.`);
    for (const line of [
      /^Desired +running$/m,
      new RegExp(`^Version +${shown.version}$`, 'm'),
      new RegExp(`^Flink job +${shown.flinkJobId}$`, 'm'),
      /^In Flink +RUNNING, last checkpoint \d+ (s|min) ago \(\d+ completed, \d+ failed\)$/m,
      /^Savepoint +the next in \d+ h( \d+ min)?, at .* UTC$/m,
      /^Alert +(none|job-rolled-back)/m,
      /^Told by +its actor$/m,
    ])
      expect(lines).toMatch(line);
  });

  test('history tells what happened, the newest first, as many as are asked for', async () => {
    const events = await json('history', job, '--limit', '200');
    const sequences: number[] = events.map(({ sequence }: { sequence: number }) => sequence);
    expect(sequences).toEqual([...sequences].sort((a, b) => b - a));
    const names = events.map(({ event }: { event: string }) => event);
    for (const event of ['deploy', 'targetRecorded', 'submitted', 'becameStable'])
      expect(names).toContain(event);
    expect(await json('history', job, '--limit', '2')).toHaveLength(2);
    const lines = await text('history', job, '--limit', '200');
    expect(lines).toMatch(/^When \(UTC\) +Event +State +Version +Submission$/m);
    expect(lines).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d +submitted +settling +[0-9a-f]{12} +\d+$/m);
  });

  test('exceptions of a submission that never failed are none, and that is said', async () => {
    await json('restart', job, '--wait');
    const { attempt, flinkJobId, exceptions } = await json('exceptions', job);
    expect(exceptions).toEqual([]);
    expect({ attempt, flinkJobId }).toEqual(pick(await json('show', job)));
    expect(await text('exceptions', job)).toBe(
      `Flink has no exceptions of submission ${attempt} of ${job}.\n`,
    );
  });
});

const pick = ({ attempt, flinkJobId }: { attempt: number; flinkJobId: string }) => ({ attempt, flinkJobId });

describe('the commands', () => {
  test('savepoint --wait gives the path of one that is there; with the same trigger id it is the same one', async () => {
    const triggerId = 'c1'.repeat(16);
    const taken = await json('savepoint', job, '--wait', '--trigger-id', triggerId);
    expect(taken).toMatchObject({ name: job, triggerId, result: 'reached' });
    expect(existsSync(join(fileURLToPath(taken.path), '_metadata'))).toBe(true);
    expect(await json('savepoint', job, '--wait', '--trigger-id', triggerId)).toMatchObject({
      path: taken.path,
    });
    const listed = (await json('savepoints', job)).filter(
      (each: { triggerId: string }) => each.triggerId === triggerId,
    );
    expect(listed).toMatchObject([
      { kind: 'manual', status: 'completed', path: taken.path, error: null, disposedAt: null },
    ]);
    const lines = await text('savepoints', job);
    expect(lines).toMatch(new RegExp(`^${triggerId} +completed +manual +\\d+ (s|min)\\b`, 'm'));
    expect(lines).toContain(`    ${taken.path}\n`);
  });

  test('suspend keeps the state, and resume goes on from exactly there, with every row as it was', async () => {
    const late = await hourglass(['job', 'suspend', job, '--wait', '--timeout', '0']);
    expect([late.code, late.stderr]).toEqual([
      1,
      expect.stringContaining(`${job}: suspended was not reached within 0 s`),
    ]);
    const suspended = await hourglass(['job', 'suspend', job, '--wait']);
    expect(suspended.code).toBe(0);
    const [, path = ''] = /its state is kept in (\S+)\.$/m.exec(suspended.stdout) ?? [];
    expect(existsSync(join(fileURLToPath(path), '_metadata'))).toBe(true);
    expect((await json('savepoints', job))[0]).toMatchObject({ kind: 'suspend', status: 'completed', path });
    expect(await json('list')).toMatchObject([{ state: 'suspended', desired: 'suspended' }]);
    expect((await hourglass(['status'])).stdout).toMatch(new RegExp(`^${job} +suspended +suspended`, 'm'));
    const before = await storedRows();
    expect(before.size).toBeGreaterThan(0);
    const resumed = await hourglass(['job', 'resume', job, '--wait']);
    expect(resumed.code).toBe(0);
    expect(resumed.stderr).toMatch(new RegExp(`^${job}: submitting`, 'm'));
    expect(resumed.stdout).toMatch(
      new RegExp(`^${job} is stable on version .*, started from ${path}\\.$`, 'm'),
    );
    const after = await eventually('the job stores more rows', storedRows, ({ size }) => size > before.size, {
      withinMs: 120_000,
    });
    expect([...before].filter(([key, row]) => after.get(key) !== row)).toEqual([]);
    await eventually(
      'every hour is the aggregate of its observations',
      async () => JSON.parse((await hourglass(['audit', '--json'])).stdout),
      (hours) => hours.length === 0,
    );
  });

  test('deploy of the version that runs does nothing', async () => {
    const before = await stable();
    expect(await text('deploy', job)).toBe(
      `Nothing to do: version ${before.version} of ${job} runs already.\n`,
    );
    const deployed = await json('deploy', job, '--wait');
    expect(deployed).toMatchObject({ result: 'reached', ...pick(before) });
    expect(await json('deploy', job)).toMatchObject({ result: 'nothing_to_do' });
    expect(pick(await stable())).toEqual(pick(before));
  });

  test('restart --from a savepoint starts from it, once for one command id', async () => {
    const before = await stable();
    const { triggerId, path } = await json('savepoint', job, '--wait');
    const restart = () =>
      json('restart', job, '--from', triggerId, '--wait', '--command-id', 'restart in a test');
    const restarted = await restart();
    expect(restarted).toMatchObject({
      ...{ result: 'reached', state: 'stable', restorePath: path, version: before.version },
      attempt: before.attempt + 1,
    });
    expect(await restart()).toMatchObject({ result: 'reached', ...pick(restarted) });
  });

  test('stop ends the actor, and deploy starts another that goes on from the savepoint', async () => {
    const before = await stable();
    const { runId } = await client.workflow.getHandle(jobActorId(job)).describe();
    const stopped = await json('stop', job, '--wait');
    expect(stopped).toMatchObject({ result: 'reached', state: 'stopped', desired: 'stopped' });
    const ended = await client.workflow.getHandle(jobActorId(job)).describe();
    expect([ended.runId, ended.status.name]).toEqual([runId, 'COMPLETED']);
    expect(await json('show', job)).toMatchObject({
      ...{ toldBy: 'record', state: 'stopped', desired: 'stopped', restorePath: stopped.restorePath },
      why: expect.stringContaining(`hourglass job deploy ${job}`),
    });
    const deployed = await json('deploy', job, '--wait');
    expect(deployed).toMatchObject({
      ...{ result: 'reached', state: 'stable', restorePath: stopped.restorePath },
      attempt: before.attempt + 1,
    });
    const next = await client.workflow.getHandle(jobActorId(job)).describe();
    expect(next.status.name).toBe('RUNNING');
    expect(next.runId).not.toBe(runId);
  });
});

/** Every observation as it is stored, by its key. */
async function storedRows(): Promise<ReadonlyMap<string, string>> {
  const { rows } = await sql.query<{ key: string; row: string }>(
    "select city_id || ' ' || observed_at as key, md5(o::text) as row from observations o",
  );
  return new Map(rows.map(({ key, row }) => [key, row]));
}

describe('the parallelism', () => {
  test('that a job has already is nothing to do, and one that is none is refused', async () => {
    const { version, attempt } = await json('show', job);
    const { rows } = await sql.query<{ parallelism: string }>(
      `select settings->>'parallelism.default' as parallelism from flink_job_versions where version = $1`,
      [version],
    );
    const present = rows[0]?.parallelism ?? '';
    const answer = await json('rescale', job, '--parallelism', present);
    expect(answer).toMatchObject({ command: 'deploy', result: 'nothing_to_do', version, attempt });
    const { code, stderr } = await hourglass(['job', 'rescale', job, '--parallelism', '500']);
    expect([code, stderr]).toEqual([2, expect.stringContaining('--parallelism is "500"')]);
    expect(await json('show', job)).toMatchObject({ state: 'stable', version, attempt, upgrade: null });
  });
});

describe('what cannot be done is refused in a sentence', () => {
  test('a job that nobody defined, by every command, before anything is asked', async () => {
    const commands = [
      ...['show', 'deploy', 'rollback', 'suspend', 'resume', 'savepoint', 'restart', 'stop'],
      ...['savepoints', 'history', 'exceptions'],
    ];
    for (const command of commands) {
      const { code, stderr } = await hourglass(['job', command, 'wether-stream']);
      expect([command, code, stderr]).toEqual([
        command,
        1,
        `hourglass: There is no Flink job "wether-stream"; there are: ${job}.\n`,
      ]);
    }
  });

  test('a trigger id that is none, a savepoint that nobody knows, and the loss of the state unsaid', async () => {
    const trigger = await hourglass(['job', 'savepoint', job, '--trigger-id', 'mine']);
    expect([trigger.code, trigger.stderr]).toEqual([
      2,
      expect.stringContaining('Expected 32 hexadecimal digits'),
    ]);
    const nothing = await hourglass(['job', 'restart', job, '--from', 'nothing']);
    expect([nothing.code, nothing.stderr]).toEqual([2, expect.stringContaining('--accept-state-loss')]);
    const stateless = await hourglass(['job', 'deploy', job, '--upgrade-mode', 'stateless']);
    expect([stateless.code, stateless.stderr]).toEqual([2, expect.stringContaining('--accept-state-loss')]);
    const unreadable = await hourglass(['job', 'restart', job, '--from', 'yesterday']);
    expect([unreadable.code, unreadable.stderr]).toEqual([
      2,
      expect.stringContaining('--from is "yesterday", expected the trigger id of a savepoint'),
    ]);
    const unknown = await hourglass(['job', 'restart', job, '--from', '0'.repeat(32)]);
    expect([unknown.code, unknown.stderr]).toEqual([
      1,
      expect.stringMatching(new RegExp(`The restart of ${job} was refused: .*0{32}.*job savepoints ${job}`)),
    ]);
    expect(await json('show', job)).toMatchObject({ state: 'stable', desired: 'running' });
  });

  test('a stack that is not running, with the exit code for it', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'hourglass-none-'));
    try {
      for (const command of [
        ['list'],
        ['show', job],
        ['suspend', job],
        ['history', job],
        ['exceptions', job],
      ]) {
        const { code, stderr } = await hourglass(['job', ...command], { HOURGLASS_DATA_DIR: dataDir });
        expect([command, code, stderr]).toEqual([command, 3, expect.stringContaining('hourglass up')]);
      }
    } finally {
      rmSync(dataDir, { recursive: true, force: true });
    }
  });

  test('a worker that does not answer: commands say so within seconds, and show tells the record', async () => {
    await stable();
    const { services } = JSON.parse((await hourglass(['status', '--json'])).stdout) as {
      services: readonly { name: string; pid: number }[];
    };
    const pids = services.filter(({ name }) => name.startsWith('worker-')).map(({ pid }) => pid);
    expect(pids).toHaveLength(1);
    const [pid = 0] = pids;
    process.kill(pid, 'SIGSTOP');
    try {
      const begunAt = Date.now();
      const [command, shown] = await Promise.all([
        hourglass(['job', 'resume', job, '--command-id', 'asked of nobody']),
        hourglass(['job', 'show', job]),
      ]);
      expect(Date.now() - begunAt).toBeLessThan(30_000);
      expect([command.code, command.stderr]).toEqual([
        1,
        expect.stringMatching(
          new RegExp(`^hourglass: No worker answers for the actor of ${job} .*--command-id asked of nobody`),
        ),
      ]);
      expect([shown.code, shown.stderr]).toEqual([0, '']);
      expect(shown.stdout).toContain(`${job} is stable`);
      expect(shown.stdout).toMatch(
        /^Told by +the record in PostgreSQL, not by its actor: No worker answers/m,
      );
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await stable();
  });
});
