import { expect, test } from 'vitest';
import type { FlinkException, FlinkJob } from '../../clients/flink-rest.ts';
import { exceptionsOf } from './exceptions.ts';

const submission = { name: 'counting', attempt: 3, jobId: 'a'.repeat(32) };

/** Flink as far as it is asked: what it knows of the one job. */
const flinkWith = ({ isKnown = true, exceptions = [] as FlinkException[], failure = '' }) => ({
  job: async () => (isKnown ? ({ state: 'FAILED' } as FlinkJob) : undefined),
  exceptions: async () => exceptions,
  executionFailure: async () => (failure === '' ? undefined : failure),
});

test('each exception is told with its time and its innermost cause', async () => {
  const trace =
    'java.lang.RuntimeException: around\n\tat a.B\nCaused by: java.io.IOException: no disk\n\tat c.D';
  expect(await exceptionsOf(flinkWith({ exceptions: [{ atMs: 1_000, trace }] }), submission)).toEqual([
    { at: new Date(1_000), cause: 'IOException: no disk' },
  ]);
});

test('after a failed restore, which leaves no exceptions, the result of the job tells why', async () => {
  const failure =
    'org.apache.flink.JobException: around\nCaused by: java.lang.IllegalStateException: no such operator';
  expect(await exceptionsOf(flinkWith({ failure }), submission)).toEqual([
    { at: null, cause: 'IllegalStateException: no such operator' },
  ]);
});

test('a job without failures has none', async () => {
  expect(await exceptionsOf(flinkWith({}), submission)).toEqual([]);
});

test('a submission that Flink does not know is said to be so', async () => {
  await expect(exceptionsOf(flinkWith({ isKnown: false }), submission)).rejects.toThrow(
    'Flink does not know submission 3 of counting',
  );
});
