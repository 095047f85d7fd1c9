import { expect, test } from 'vitest';
import { weather } from '../pipelines/weather/definition.ts';
import { guardedJobs } from './job-policies.ts';

const { job } = weather;

test('the least time of a new version is what the environment says, or else the definition', () => {
  expect(guardedJobs([job], undefined)).toEqual({ [job.name]: job });
  expect(job.policy.upgradeLeastMs).toBe(60_000);
  const { [job.name]: guarded } = guardedJobs([job], 3);
  expect(guarded).toEqual({ ...job, policy: { ...job.policy, upgradeLeastMs: 3_000 } });
  // Where the versions are told apart it plays no part.
  expect(guarded?.settings).toBe(job.settings);
});
