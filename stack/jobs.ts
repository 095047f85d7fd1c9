/** Starts the Flink jobs with the system, through their actors, and parks them when it stops. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { FlinkRestClient } from '../clients/flink-rest.ts';
import {
  ActorNotAnsweringError,
  ActorOnOlderBuildError,
  type JobActor,
  jobActor,
} from '../clients/job-actor.ts';
import { readRecordOfJob } from '../clients/job-record.ts';
import { connectDatabase, type PostgresOptions } from '../clients/postgres.ts';
import { HourglassError } from '../domain/errors.ts';
import { targetOf } from '../domain/job-machine.ts';
import { jobPhases } from '../domain/job-phases.ts';
import type { JobState } from '../schemas/job.ts';

const START_DEADLINE_MS = 180_000;
const PARK_DEADLINE_MS = 100_000;

/** Thrown when a job does not run in time. It does not mean that its state is lost. */
export class JobNotRunningError extends HourglassError {
  constructor(job: string, state: JobState | undefined) {
    const { phase, reason } = state ?? { phase: 'unknown', reason: 'its actor does not answer' };
    super(
      'JOB_NOT_RUNNING',
      `The Flink job ${job} does not run yet, it is ${phase}${reason === '' ? '' : `: ${reason}`}. See the logs flink-jobmanager.log and flink-taskmanager.log; the next start tries again.`,
    );
  }
}

export interface JobDoors {
  readonly client: Client;
  readonly flink: FlinkRestClient;
  readonly database: PostgresOptions;
}

/** @returns what became of it: a job that is desired suspended or stopped is left so @throws JobNotRunningError */
export async function startJob(
  { client, flink, database }: JobDoors,
  job: string,
  detail: (text: string) => void,
): Promise<string> {
  const actor = jobActor(client, job);
  const deadline = Date.now() + START_DEADLINE_MS;
  if (await isStopped(actor, database, job))
    return `stopped, as it is desired; \`npx hourglass job deploy ${job}\` starts it`;
  await deploy(actor, deadline);
  for (;;) {
    const state = await actor.status().catch(() => undefined);
    if (state !== undefined && targetOf(state) !== 'running' && !jobPhases[state.phase].mayRun)
      return `${state.phase}, as it is desired; \`npx hourglass job resume ${job}\` starts it`;
    // After a kill the actor believes for a moment what was true before it: Flink itself is asked too.
    if (state !== undefined && isRunning(state) && (await flink.job(state.jobId))?.state === 'RUNNING')
      return state.restorePath === '' ? 'from the beginning of the topics' : 'from its saved state';
    if (state !== undefined) detail(state.reason === '' ? state.phase : `${state.phase}: ${state.reason}`);
    if (state?.phase === 'failing' || Date.now() > deadline) throw new JobNotRunningError(job, state);
    await delay(300);
  }
}

/** A worker that has just started, or an actor that has to end something first, may take longer than a person would wait. */
async function deploy(actor: JobActor, deadline: number): Promise<void> {
  const commandId = randomUUID();
  for (;;) {
    try {
      await actor.command('deploy', { commandId, isStart: true });
      return;
    } catch (error) {
      const mayAnswer = error instanceof ActorNotAnsweringError || error instanceof ActorOnOlderBuildError;
      if (!mayAnswer || Date.now() > deadline) throw error;
    }
  }
}

/** An ended actor is not asked: the build that it ran on may have no worker any more. One that was ended by hand has its job left. */
async function isStopped(actor: JobActor, database: PostgresOptions, job: string): Promise<boolean> {
  return (await actor.hasEnded()) && (await desiredOnRecord(database, job)) === 'stopped';
}

async function desiredOnRecord(options: PostgresOptions, job: string): Promise<string | undefined> {
  const database = connectDatabase({ ...options, connections: 1 });
  try {
    return (await readRecordOfJob(database, job))?.desired;
  } finally {
    await database.close();
  }
}

const isRunning = ({ phase }: JobState): boolean => phase === 'settling' || phase === 'stable';

/** @returns where its state is: what is desired of the job stays, and the next start goes on from there */
export async function parkJob({ client, database }: JobDoors, job: string): Promise<string> {
  const actor = jobActor(client, job);
  if (await isStopped(actor, database, job)) return 'it is stopped';
  await actor.command('park', { commandId: randomUUID() });
  const deadline = Date.now() + PARK_DEADLINE_MS;
  while (Date.now() < deadline) {
    const state = await actor.status().catch(() => undefined);
    if (state !== undefined && !jobPhases[state.phase].mayRun)
      return state.reason === '' ? `state kept in ${state.restorePath}` : state.reason;
    await delay(200);
  }
  return 'no savepoint in time: the next start goes on from the newest checkpoint';
}
