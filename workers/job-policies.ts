/** How the jobs of the pipelines are guarded here: as their definitions say, but for what the environment says otherwise. */
import type { JobDefinition } from '../schemas/pipeline.ts';

/** By name. @param leastSeconds undefined for what each definition says */
export const guardedJobs = (
  jobs: readonly JobDefinition[],
  leastSeconds: number | undefined,
): Readonly<Record<string, JobDefinition>> =>
  Object.fromEntries(jobs.map((job) => [job.name, guarded(job, leastSeconds)]));

const guarded = (job: JobDefinition, leastSeconds: number | undefined): JobDefinition =>
  leastSeconds === undefined
    ? job
    : { ...job, policy: { ...job.policy, upgradeLeastMs: leastSeconds * 1_000 } };
