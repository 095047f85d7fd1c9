import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { fakeDatabase } from '../tests/support/fake-database.ts';
import { flinkActivities, target } from '../tests/support/fake-flink-activities.ts';
import { type FlinkStep, GENERAL_FAULTS } from '../tests/support/fake-flink-faults.ts';
import type { FakeTimes } from '../tests/support/fake-job-manager.ts';
import { temporaryDirectories } from '../tests/support/temporary-directories.ts';
import type { SavepointOutcome, SavepointQuestion } from './savepoints.ts';

const temporaryDirectory = temporaryDirectories();
const { name, version, jobId } = target;
const triggerId = 'a'.repeat(32);
const question: SavepointQuestion = { name, version, jobId, triggerId, kind: 'manual', timeoutMs: 2_000 };

interface Row {
  readonly trigger_id: string;
  status: string;
  path: string | null;
  error: string | null;
  finished_at: Date;
  isDisposed: boolean;
}

interface Known {
  readonly jobs?: readonly string[];
  readonly wasStable?: boolean;
  readonly times?: Partial<FakeTimes>;
}

/** A Flink that runs the job, and a table of savepoints as the queries on it make it. */
function setUp({ jobs = [jobId], wasStable = false, times = {} }: Known = {}) {
  const rows = new Map<string, Row>();
  const put = (id: string, change: Partial<Row> = {}): void =>
    void rows.set(id, {
      ...{ trigger_id: id, status: 'pending', path: null, error: null, finished_at: new Date(0) },
      ...{ isDisposed: false, ...change },
    });
  const database = fakeDatabase({
    'record-savepoint'([, id]) {
      if (!rows.has(String(id))) put(String(id));
      return [];
    },
    'begin-savepoint'([, id]) {
      Object.assign(rows.get(String(id)) ?? {}, { status: 'in_progress' });
      return [];
    },
    'finish-savepoint'([, id, status, path, error]) {
      Object.assign(rows.get(String(id)) ?? {}, { status, path, error });
      return [];
    },
    'dispose-savepoint'([, id]) {
      Object.assign(rows.get(String(id)) ?? {}, { isDisposed: true });
      return [];
    },
    savepoint: ([, id]) => [rows.get(String(id))].filter((row) => row !== undefined),
    'kept-savepoints': () =>
      [...rows.values()].filter((row) => row.status === 'completed' && !row.isDisposed),
    'earlier-flink-jobs': jobs.map((id) => ({ flink_job_id: id })),
    'was-stable': wasStable ? [{ sequence: 1 }] : [],
  });
  const setup = flinkActivities({ directory: temporaryDirectory(), database, times });
  setup.flink.put({ id: jobId, name });
  return { ...setup, rows, put };
}
type SetUp = ReturnType<typeof setUp>;

/** As Temporal does: tries again what may be tried again. */
async function untilAnswered<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error as { retryable?: boolean }).retryable) throw error;
      await delay(10);
    }
  }
}

const snapshot = (at: string, path: string, jobOfIt = jobId): string => {
  const directory = join(at, path);
  mkdirSync(directory, { recursive: true });
  writeFileSync(
    join(directory, '_metadata'),
    JSON.stringify({ jobId: jobOfIt, kind: 'checkpoint', lineage: 1 }),
  );
  return directory;
};

describe.concurrent.each(['takeSavepoint', 'stopJobWithSavepoint'] as const)('%s', (activity) => {
  const isStop = activity === 'stopJobWithSavepoint';
  const step = isStop ? 'stop with a savepoint' : 'trigger a savepoint';
  const take = ({ environment, activities }: SetUp, change: Partial<SavepointQuestion> = {}) =>
    environment.run(activities[activity], { ...question, ...change }) as Promise<SavepointOutcome>;
  const triggers = ({ flink }: SetUp) => flink.done.filter((one) => one.endsWith(triggerId));

  test('triggers under the id that was decided, waits, records and tells the path', async () => {
    const setup = setUp();
    const outcome = await take(setup);
    const [made] = setup.flink.snapshots.of(jobId).filter(({ kind }) => kind !== 'checkpoint');
    expect(outcome).toEqual({ status: 'completed', path: made?.path });
    expect(triggers(setup)).toEqual([`${isStop ? 'stop' : 'savepoint'} ${jobId} ${triggerId}`]);
    expect(setup.rows.get(triggerId)).toMatchObject({ status: 'completed', path: made?.path, error: null });
    expect(setup.flink.jobs.get(jobId)?.state).toBe(isStop ? 'FINISHED' : 'RUNNING');
    expect(setup.database.asked.map((asked) => asked.name)).toEqual([
      ...['record-savepoint', 'savepoint', 'begin-savepoint', 'finish-savepoint'],
    ]);
  });

  test('what is on record as ended is answered, and nothing is asked of Flink', async () => {
    const setup = setUp();
    setup.put(triggerId, { status: 'completed', path: 'file:///s/1' });
    expect(await take(setup)).toEqual({ status: 'completed', path: 'file:///s/1' });
    setup.put(triggerId, { status: 'failed', error: 'the disk is full' });
    expect(await take(setup)).toEqual({ status: 'failed', reason: 'the disk is full' });
    expect(setup.flink.done).toEqual([]);
  });

  test('one that is under way is followed, not triggered again', async () => {
    const setup = setUp({ times: { savepointMs: 100 } });
    const first = take(setup);
    while (setup.flink.done.length === 0) await delay(1);
    expect(await take(setup)).toEqual(await first);
    expect(triggers(setup)).toHaveLength(1);
    expect(setup.flink.triggeredTwice).toEqual([]);
  });

  test('one that fails is recorded and told with its root cause', async () => {
    const setup = setUp();
    setup.flink.faults.arm(step, 'savepoint fails');
    expect(await take(setup)).toEqual({ status: 'failed', reason: 'CheckpointException: the disk is full' });
    expect(setup.rows.get(triggerId)).toMatchObject({
      ...{ status: 'failed', path: null, error: 'CheckpointException: the disk is full' },
    });
  });

  test('one that never ends has failed when its time is over', async () => {
    const setup = setUp();
    setup.flink.faults.arm(step, 'savepoint never ends');
    const outcome = { status: 'failed', reason: 'it took longer than 0.05 s' };
    expect(await take(setup, { timeoutMs: 50 })).toEqual(outcome);
    expect(setup.rows.get(triggerId)).toMatchObject({ status: 'failed', error: outcome.reason });
  });

  test('one of a job that Flink does not know has failed', async () => {
    const setup = setUp();
    setup.flink.loseJobManager();
    expect(await take(setup)).toMatchObject({
      ...{ status: 'failed', reason: expect.stringContaining('Could not find Flink job') },
    });
  });

  test('one that Flink forgets before it has told its end is abandoned', async () => {
    const setup = setUp({ times: { savepointMs: 60_000 } });
    setup.flink.faults.arm('ask for a pending savepoint', 'JobManager lost before');
    const outcome = { status: 'abandoned', reason: 'Flink forgot it before it was completed' };
    expect(await take(setup)).toEqual(outcome);
    expect(setup.rows.get(triggerId)).toMatchObject({ status: 'abandoned', error: outcome.reason });
  });

  const steps = [
    step,
    ...['ask for an unknown savepoint', 'ask for a pending savepoint', 'ask for an ended savepoint'],
  ] as readonly FlinkStep[];
  test.for(steps.flatMap((at) => GENERAL_FAULTS.map((fault) => [fault, at] as const)))(
    'comes to one end, and is triggered once at a time, whatever happens: "%s" at "%s"',
    async ([fault, at]) => {
      const setup = setUp();
      setup.flink.faults.arm(at, fault);
      const outcome = await untilAnswered(() => take(setup));
      expect(setup.flink.faults.armed()).toEqual([]);
      expect(setup.flink.triggeredTwice).toEqual([]);
      const path = outcome.status === 'completed' ? outcome.path : null;
      expect(setup.rows.get(triggerId)).toMatchObject({ status: outcome.status, path });
      if (!fault.startsWith('JobManager lost')) expect(outcome.status).toBe('completed');
      // A savepoint that ended the job is found, whatever was heard of it.
      const made = setup.flink.snapshots.of(jobId).find(({ kind }) => kind === 'stop');
      if (made !== undefined) expect(await setup.activities.findCheckpoint({ name, jobId })).toBe(made.path);
    },
  );
});

describe('findCheckpoint', () => {
  const find = ({ activities }: SetUp, id = jobId) => activities.findCheckpoint({ name, jobId: id });
  const directories = ({ flink }: SetUp) => ({
    checkpoints: fileURLToPath(flink.snapshots.checkpoints),
    savepoints: fileURLToPath(flink.snapshots.savepoints),
  });

  test('is the complete one with the highest number, as a number', async () => {
    const setup = setUp();
    const { checkpoints } = directories(setup);
    for (const entry of ['chk-11', 'shared', 'taskowned', 'chk-12.tmp'])
      mkdirSync(join(checkpoints, jobId, entry), { recursive: true });
    for (const entry of ['chk-10', 'chk-9', 'chk-12.tmp']) snapshot(checkpoints, `${jobId}/${entry}`);
    expect(await find(setup)).toBe(`${setup.flink.snapshots.checkpoints}/${jobId}/chk-10`);
  });

  test('is a savepoint of the job that nobody heard of, when that is newer', async () => {
    const setup = setUp();
    const { checkpoints, savepoints } = directories(setup);
    snapshot(checkpoints, `${jobId}/chk-1`);
    await delay(20);
    snapshot(savepoints, `savepoint-${jobId.slice(0, 6)}-1a2b`);
    snapshot(savepoints, 'savepoint-ffffff-3c4d', 'f'.repeat(32));
    mkdirSync(join(savepoints, `savepoint-${jobId.slice(0, 6)}-unfinished`));
    const path = `${setup.flink.snapshots.savepoints}/savepoint-${jobId.slice(0, 6)}-1a2b`;
    expect(await find(setup)).toBe(path);
    await delay(20);
    snapshot(checkpoints, `${jobId}/chk-2`);
    expect(await find(setup)).toBe(`${setup.flink.snapshots.checkpoints}/${jobId}/chk-2`);
  });

  test('is empty for a job that never completed one', async () => {
    const setup = setUp();
    expect(await find(setup)).toBe('');
    mkdirSync(join(directories(setup).checkpoints, jobId, 'chk-1'), { recursive: true });
    expect(await find(setup)).toBe('');
  });

  test('of a job that was stable is never empty: what is gone is named, and not taken for nothing', async () => {
    const setup = setUp({ wasStable: true });
    const path = await find(setup);
    expect(path).toBe(`${setup.flink.snapshots.checkpoints}/${jobId}`);
    expect(await setup.activities.findRestorePoint({ name, restorePath: path })).toEqual({
      ...{ path: '', note: `the recorded snapshot ${path} is gone, and there is no other` },
    });
  });

  test('a directory that cannot be read is an error, not "none": state would be thrown away', async () => {
    const setup = setUp();
    const { checkpoints } = directories(setup);
    mkdirSync(checkpoints, { recursive: true });
    writeFileSync(join(checkpoints, jobId), 'not a directory');
    await expect(find(setup)).rejects.toThrow('the snapshots cannot be looked at: ENOTDIR');
  });
});

describe('findRestorePoint', () => {
  test('is the recorded snapshot while it is there, and nothing when none is recorded', async () => {
    const setup = setUp();
    snapshot(fileURLToPath(setup.flink.snapshots.savepoints), 's1');
    const path = `${setup.flink.snapshots.savepoints}/s1`;
    expect(await setup.activities.findRestorePoint({ name, restorePath: path })).toEqual({ path, note: '' });
    expect(await setup.activities.findRestorePoint({ name, restorePath: '' })).toEqual({
      path: '',
      note: '',
    });
  });

  test('is the newest that is left of any submission when the recorded one is gone, and says so', async () => {
    const older = 'b'.repeat(32);
    const setup = setUp({ jobs: [jobId, older] });
    const checkpoints = fileURLToPath(setup.flink.snapshots.checkpoints);
    snapshot(dirname(checkpoints), 'elsewhere/s1');
    setup.put(triggerId, {
      status: 'completed',
      path: `${dirname(setup.flink.snapshots.checkpoints)}/elsewhere/s1`,
    });
    await delay(20);
    snapshot(checkpoints, `${older}/chk-7`, older);
    const path = `${setup.flink.snapshots.checkpoints}/${older}/chk-7`;
    expect(await setup.activities.findRestorePoint({ name, restorePath: 'file:///gone' })).toEqual({
      path,
      note: `the recorded snapshot file:///gone is gone; the newest that is left is older: ${path}`,
    });
  });
});

describe('resolveSavepoint', () => {
  const resolve = ({ activities }: SetUp, from: string) => activities.resolveSavepoint({ name, from });

  test('is the path of a completed savepoint, or a path that holds a snapshot', async () => {
    const setup = setUp();
    snapshot(fileURLToPath(setup.flink.snapshots.savepoints), 's1');
    const path = `${setup.flink.snapshots.savepoints}/s1`;
    setup.put(triggerId, { status: 'completed', path });
    expect(await resolve(setup, triggerId)).toBe(path);
    expect(await resolve(setup, path)).toBe(path);
  });

  test.each([
    ['is not on record', undefined, 'which is not on record as ended'],
    ['is under way', { status: 'in_progress' }, 'which is not on record as ended'],
    ['failed', { status: 'failed', error: 'the disk is full' }, 'which failed: the disk is full'],
    ['is gone', { status: 'completed', path: 'file:///gone' }, 'whose files are gone (file:///gone)'],
  ])('a savepoint that %s is refused, with why', async (_, row, why) => {
    const setup = setUp();
    if (row !== undefined) setup.put(triggerId, row);
    await expect(resolve(setup, triggerId)).rejects.toMatchObject({
      ...{ code: 'SAVEPOINT_NOT_FOUND', retryable: false, message: expect.stringContaining(why) },
    });
  });

  test('a path that holds no snapshot is refused', async () => {
    await expect(resolve(setUp(), 'file:///gone')).rejects.toThrow('file:///gone, which holds no snapshot');
  });
});

describe('pruneSnapshots', () => {
  const retention = { name, count: 1, ageMs: 3_600_000, inUse: [] as readonly string[] };
  const prune = ({ environment, activities }: SetUp, change: Partial<typeof retention> = {}) =>
    environment.run(activities.pruneSnapshots, { ...retention, ...change });
  const completed = (setup: SetUp, number: number): string => {
    snapshot(fileURLToPath(setup.flink.snapshots.savepoints), `s${number}`);
    const path = `${setup.flink.snapshots.savepoints}/s${number}`;
    const finished = new Date(Date.now() - (10 - number) * 1_000);
    setup.put(String(number).repeat(32), { status: 'completed', path, finished_at: finished });
    return path;
  };
  const isThere = ({ flink }: SetUp, path: string) => flink.snapshots.read(path) !== undefined;

  test('disposes through Flink of what retention no longer keeps, and records it', async () => {
    const setup = setUp();
    const [first, second, third] = [completed(setup, 1), completed(setup, 2), completed(setup, 3)];
    expect(await prune(setup, { inUse: [first] })).toBe(1);
    expect(setup.flink.done).toEqual([`dispose ${second}`]);
    expect([first, second, third].map((path) => isThere(setup, path))).toEqual([true, false, true]);
    expect([...setup.rows.values()].map((row) => row.isDisposed)).toEqual([false, true, false]);
  });

  test.each(GENERAL_FAULTS)('a repetition finishes what "%s" has interrupted', async (fault) => {
    const setup = setUp();
    const paths = [completed(setup, 1), completed(setup, 2), completed(setup, 3)];
    setup.flink.faults.arm('dispose', fault);
    await untilAnswered(() => prune(setup));
    expect(paths.map((path) => isThere(setup, path))).toEqual([false, false, true]);
    expect([...setup.rows.values()].map((row) => row.isDisposed)).toEqual([true, true, false]);
  });

  test('what is in use is known in each form in which Flink writes a path', async () => {
    const setup = setUp();
    const first = completed(setup, 1);
    completed(setup, 2);
    await prune(setup, { inUse: [first.replace('file:///', 'file:/')] });
    expect(isThere(setup, first)).toBe(true);
  });

  test('what somebody has deleted before is recorded as disposed of, and not asked of Flink', async () => {
    const setup = setUp();
    const first = completed(setup, 1);
    completed(setup, 2);
    setup.flink.snapshots.remove(first);
    expect(await prune(setup)).toBe(1);
    expect(setup.flink.done).toEqual([]);
    expect(setup.rows.get('1'.repeat(32))?.isDisposed).toBe(true);
  });

  test('checkpoints of the present and two earlier submissions stay, and what the job was started from', async () => {
    const jobs = [jobId, ...['b', 'c', 'd', 'e'].map((digit) => digit.repeat(32))];
    const setup = setUp({ jobs });
    const checkpoints = fileURLToPath(setup.flink.snapshots.checkpoints);
    for (const id of jobs) snapshot(checkpoints, `${id}/chk-1`, id);
    const pathOf = (id = '') => `${setup.flink.snapshots.checkpoints}/${id}/chk-1`;
    await prune(setup, { inUse: [pathOf(jobs[4])] });
    expect(jobs.map((id) => isThere(setup, pathOf(id)))).toEqual([true, true, true, false, true]);
  });
});
