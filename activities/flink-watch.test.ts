import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { FlinkUnreachableError } from '../clients/flink-errors.ts';
import { flinkActivities, target } from '../tests/support/fake-flink.ts';
import { temporaryDirectories } from '../tests/support/temporary-directories.ts';

const temporaryDirectory = temporaryDirectories();
const { name, jobId } = target;
const unreachable = () =>
  new FlinkUnreachableError('Flink JobManager', 'http://a', 'ECONNREFUSED', undefined);

describe.concurrent('watchJob', () => {
  const watch = ({ environment, activities }: ReturnType<typeof flinkActivities>, untilMs = 60_000) =>
    environment.run(activities.watchJob, { jobId, untilMs });

  test('a JobManager that does not answer says nothing of the job: only the job’s own end does', async () => {
    const setup = flinkActivities();
    let away = 1;
    setup.flink.jobs.set(jobId, { name, state: 'FAILED', exceptions: ['a.B: out of memory'] });
    setup.flink.onDescribe = () => {
      if (away-- > 0) throw unreachable();
    };
    expect(await watch(setup)).toBe('the job is FAILED: B: out of memory');
    expect(away).toBe(-1);
  });

  test('time that passes while nothing answers is no loss', async () => {
    const setup = flinkActivities();
    setup.flink.onDescribe = () => {
      throw unreachable();
    };
    expect(await watch(setup, 10)).toBeUndefined();
  });

  test('a job that Flink does not know is lost', async () => {
    expect(await watch(flinkActivities())).toBe('the Flink cluster does not know the job any more');
  });

  test('returns at once when it is cancelled', async () => {
    const setup = flinkActivities();
    setup.flink.jobs.set(jobId, { name, state: 'RUNNING' });
    const watching = watch(setup);
    setup.environment.cancel();
    await expect(watching).rejects.toThrow();
  });
});

describe('stopJobWithSavepoint', () => {
  const input = { name, version: target.version, jobId };
  const completed = { status: 'completed', path: 'file:///s/1' } as const;

  test('asks for the savepoint, waits for it, records it and returns its path', async () => {
    const setup = flinkActivities();
    setup.flink.jobs.set(jobId, { name, state: 'RUNNING' });
    setup.flink.savepoints = [{ status: 'in_progress' }, completed];
    expect(await setup.environment.run(setup.activities.stopJobWithSavepoint, input)).toBe('file:///s/1');
    const [recorded] = setup.database.askedFor('record-savepoint');
    expect(setup.database.askedFor('finish-savepoint')).toEqual([
      [name, recorded?.[1], 'completed', 'file:///s/1', null],
    ]);
  });

  test('a repetition uses the same trigger id, so that it is the same savepoint', async () => {
    const setup = flinkActivities();
    setup.flink.jobs.set(jobId, { name, state: 'RUNNING' });
    setup.flink.savepoints = [completed];
    for (let time = 0; time < 2; time += 1)
      await setup.environment.run(setup.activities.stopJobWithSavepoint, input);
    const [first, second] = setup.flink.done;
    expect(first).toMatch(new RegExp(`^stop ${jobId} [0-9a-f]{32}$`));
    expect(second).toBe(first);
    const triggers = setup.database.askedFor('record-savepoint').map((asked) => asked[1]);
    expect(new Set(triggers).size).toBe(1);
  });

  test('one that fails is recorded with its root cause and told', async () => {
    const setup = flinkActivities();
    setup.flink.jobs.set(jobId, { name, state: 'RUNNING' });
    setup.flink.savepoints = [{ status: 'failed', trace: 'a.B: outer\nCaused by: c.D: the disk is full' }];
    await expect(setup.environment.run(setup.activities.stopJobWithSavepoint, input)).rejects.toThrow(
      'D: the disk is full',
    );
    expect(setup.database.askedFor('finish-savepoint')[0]?.slice(2)).toEqual([
      ...['failed', null, 'D: the disk is full'],
    ]);
  });
});

describe('findCheckpoint', () => {
  const withDirectory = () => flinkActivities({ checkpoints: temporaryDirectory() });
  const find = ({ activities }: ReturnType<typeof flinkActivities>) => activities.findCheckpoint({ jobId });

  test('is the complete one with the highest number, as a number', async () => {
    const setup = withDirectory();
    for (const entry of ['chk-9', 'chk-10', 'chk-11', 'shared', 'taskowned', 'chk-12.tmp'])
      mkdirSync(join(setup.checkpoints, jobId, entry), { recursive: true });
    for (const entry of ['chk-9', 'chk-10', 'chk-12.tmp'])
      writeFileSync(join(setup.checkpoints, jobId, entry, '_metadata'), '');
    expect(await find(setup)).toBe(`${pathToFileURL(setup.checkpoints).href}/${jobId}/chk-10`);
  });

  test('is empty when none was ever completed, or the job never had a directory', async () => {
    const setup = withDirectory();
    expect(await find(setup)).toBe('');
    mkdirSync(join(setup.checkpoints, jobId, 'chk-1'), { recursive: true });
    expect(await find(setup)).toBe('');
  });

  test('a directory that cannot be read is an error, not "none": state would be thrown away', async () => {
    const setup = withDirectory();
    writeFileSync(join(setup.checkpoints, jobId), 'not a directory');
    await expect(find(setup)).rejects.toThrow('ENOTDIR');
  });
});
