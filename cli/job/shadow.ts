/** `hourglass job deploy --shadow`: what it would take, whether that is wanted, and following the upgrade to its end. */
import { setTimeout as delay } from 'node:timers/promises';
import { type CandidateCosts, candidateCosts } from '../../clients/candidate-costs.ts';
import { type ShadowUpgradeRun, startShadowUpgrade } from '../../clients/candidate-runs.ts';
import { createFlinkRestClient } from '../../clients/flink-rest.ts';
import type { JobVersion } from '../../clients/job-versions.ts';
import { connectKafka } from '../../clients/kafka.ts';
import type { Database } from '../../clients/postgres.ts';
import { flinkRestUrl, kafkaBrokers } from '../../config/addresses.ts';
import { loadConfig } from '../../config/load.ts';
import { HourglassError, reasonOf } from '../../domain/errors.ts';
import { replayText } from '../../domain/replay-estimate.ts';
import { exampleLines } from '../../domain/shadow-comparison.ts';
import { progressLine, type ShadowUpgradeResult } from '../../domain/shadow-upgrade.ts';
import { pipelineOfJob } from '../../pipelines/index.ts';
import { isConfirmed } from '../confirm.ts';
import { withTemporal } from '../with-temporal.ts';
import { candidateVersion, type NamedVersion, type VersionOptions } from './candidate-version.ts';
import { requireJob } from './known-jobs.ts';

export interface ShadowOptions extends VersionOptions {
  readonly acceptDifferences?: readonly string[];
  readonly yes?: boolean;
  readonly wait?: boolean;
  /** In seconds. */
  readonly timeout: number;
  readonly json?: boolean;
}

/** Thrown when nobody said yes. Nothing was started. */
class NotConfirmedError extends HourglassError {
  constructor(job: string) {
    super(
      'NOT_CONFIRMED',
      `Nothing was started: nobody said yes to the shadow upgrade of ${job}; --yes says so.`,
    );
  }
}

/** Thrown when the candidate's windows are not the job's, and nobody has accepted that. The job was not touched. */
class DifferencesError extends HourglassError {
  constructor(job: string, sentence: string) {
    super('SHADOW_DIFFERS', `The shadow upgrade of ${job} has ended, and ${sentence}.`);
  }
}

/** Thrown when an upgrade that was followed has not ended in time. It goes on by itself. */
class ShadowNotInTimeError extends HourglassError {
  constructor(workflowId: string, timeoutS: number, last: string) {
    super(
      'SHADOW_NOT_IN_TIME',
      `The shadow upgrade has not ended within ${timeoutS} s; the last that was seen: ${last} It goes on as workflow ${workflowId}; the same command with --wait follows it again.`,
      { retryable: true },
    );
  }
}

/** Thrown for an upgrade to the same version that is under way, and was told to accept something else. It goes on as it was told. */
class OtherwiseAcceptedError extends HourglassError {
  constructor(workflowId: string, accepts: readonly string[]) {
    super(
      'OTHERWISE_ACCEPTED',
      `A shadow upgrade to this version is under way already, and accepts ${accepts.join(', ') || 'no differences'}: follow it with ${accepts.length === 0 ? 'no --accept-differences' : `--accept-differences ${accepts.join(',')}`}, or cancel the workflow ${workflowId} in Temporal's Web UI and repeat the command.`,
    );
  }
}

/** @param asked undefined when nothing was said of it. @throws OtherwiseAcceptedError, CandidateNotAnsweringError */
export async function requireSameAccepted(
  run: Pick<ShadowUpgradeRun, 'workflowId' | 'progress'>,
  asked: readonly string[] | undefined,
): Promise<void> {
  if (asked === undefined) return;
  const { accepts } = await run.progress();
  if (accepts !== undefined && [...new Set(accepts)].sort().join() !== [...new Set(asked)].sort().join())
    throw new OtherwiseAcceptedError(run.workflowId, accepts);
}

const LOOK_MS = 400;

export async function shadow(job: string, options: ShadowOptions): Promise<void> {
  requireJob(job);
  const { yes, wait, timeout, json, acceptDifferences, parallelism } = options;
  await withTemporal(async (client, database) => {
    const version = await candidateVersion(database, job, options);
    const costs = await costsOf(database, job, version.content);
    console.error(costsText(job, version, costs));
    if (!yes && !(await isConfirmed('Start it?'))) throw new NotConfirmedError(job);
    const run = await startShadowUpgrade(client, {
      ...{ job, version: version.name, acceptDifferences: [...(acceptDifferences ?? [])] },
      ...(parallelism === undefined ? {} : { parallelism }),
    });
    await run.answers();
    await requireSameAccepted(run, acceptDifferences);
    if (!wait) {
      const { workflowId } = run;
      console.log(
        json
          ? JSON.stringify({ name: job, version: version.name, workflowId, result: 'started' }, undefined, 2)
          : `The shadow upgrade is under way as workflow ${workflowId}; the same command with --wait follows it.`,
      );
      return;
    }
    tellResult(await follow(run, timeout, console.error), json);
  });
}

async function costsOf(database: Database, job: string, version: JobVersion): Promise<CandidateCosts> {
  const config = loadConfig();
  const { topics } = pipelineOfJob(job);
  const kafka = connectKafka(kafkaBrokers(config));
  try {
    const rest = createFlinkRestClient(flinkRestUrl(config));
    return await candidateCosts({ database, kafka, rest }, version, [topics.live.name, topics.repairs.name]);
  } finally {
    await kafka.close();
  }
}

const MEGABYTE = 1_000_000;

export const costsText = (
  job: string,
  { name }: Pick<NamedVersion, 'name'>,
  { replay, slots, freeSlots, bytes }: CandidateCosts,
): string =>
  `Version ${name} beside ${job} ${replayText(replay)}. Until then it takes ${slots} of ${freeSlots} free slots in Flink, and its tables take up to ${Math.ceil(bytes / MEGABYTE)} MB; ${job} runs on.`;

/** Tells each change of its progress once. @throws ShadowNotInTimeError, CandidateRunFailedError */
export async function follow(
  run: Pick<ShadowUpgradeRun, 'workflowId' | 'progress' | 'result'>,
  timeoutS: number,
  tell: (line: string) => void,
): Promise<ShadowUpgradeResult> {
  const deadline = Date.now() + timeoutS * 1_000;
  const result = run.result();
  // Nobody waits for it after the deadline, and closing the connection ends it with an error.
  result.catch(() => undefined);
  for (let told = ''; ; ) {
    const line = await run.progress().then(progressLine, reasonOf);
    if (line !== told) tell(line);
    told = line;
    const isEnded = await Promise.race([
      result.then(
        () => true,
        () => true,
      ),
      delay(LOOK_MS, false),
    ]);
    if (isEnded) return result;
    if (Date.now() >= deadline) throw new ShadowNotInTimeError(run.workflowId, timeoutS, line);
  }
}

function tellResult(result: ShadowUpgradeResult, json: boolean | undefined): void {
  const { job, outcome, sentence, comparison } = result;
  if (json) console.log(JSON.stringify({ name: job, ...result }, undefined, 2));
  else for (const line of exampleLines(comparison)) console.log(line);
  if (outcome === 'refused') throw new DifferencesError(job, sentence);
  if (!json) console.log(`The shadow upgrade of ${job} has ended: ${sentence}.`);
}
