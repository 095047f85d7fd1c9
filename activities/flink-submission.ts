/** What all work on Flink's jobs has in common: submitting a job once, cancelling it, and why it failed. */
import { setTimeout as delay } from 'node:timers/promises';
import { cancellationSignal, heartbeat } from '@temporalio/activity';
import { FlinkRequestError, FlinkStatementError, innermostCause } from '../clients/flink-errors.ts';
import type { FlinkGatewayClient } from '../clients/flink-gateway.ts';
import type { FlinkRestClient } from '../clients/flink-rest.ts';
import { hasEnded } from '../domain/job-health.ts';

export interface FlinkDoors {
  readonly rest: FlinkRestClient;
  readonly gateway: FlinkGatewayClient;
  /** How long to wait between two looks at what is under way. */
  readonly pollMs: number;
}

/** Why a job failed, in one sentence; after a failed restore its exceptions are empty and only its result tells. */
export async function rootCause(rest: FlinkRestClient, jobId: string): Promise<string> {
  try {
    const [newest] = await rest.exceptions(jobId);
    const trace = newest?.trace ?? (await rest.executionFailure(jobId));
    return trace === undefined ? 'Flink gave no reason' : innermostCause(trace);
  } catch (error) {
    // It may forget the job between two questions.
    if (error instanceof FlinkRequestError && error.status === 404)
      return 'Flink forgot the job before it gave a reason';
    throw error;
  }
}

export interface Submission {
  readonly name: string;
  readonly jobId: string;
  readonly statements: readonly string[];
  readonly settings: Readonly<Record<string, string>>;
  readonly restorePath: string;
}

/**
 * Submits a job unless Flink has it already. Safe to repeat: a try whose answer was lost may have been accepted after all, and
 * is found by its id.
 */
export async function submitOnce(
  { rest, gateway, pollMs }: FlinkDoors,
  submission: Submission,
): Promise<void> {
  const { name, jobId, statements, settings, restorePath } = submission;
  if ((await rest.job(jobId)) !== undefined) return;
  await cancelOthers({ rest, pollMs }, name, jobId);
  const properties = {
    ...settings,
    'pipeline.name': name,
    '$internal.pipeline.job-id': jobId,
    ...(restorePath === ''
      ? {}
      : { 'execution.state-recovery.path': restorePath, 'execution.state-recovery.claim-mode': 'NO_CLAIM' }),
  };
  try {
    heartbeat();
    await gateway.execute(statements, properties);
  } catch (error) {
    if (!(error instanceof FlinkStatementError) || (await rest.job(jobId)) === undefined) throw error;
  }
}

/** Never two jobs for one name: an earlier attempt that runs on, or waits in Flink, ends first. Its checkpoints stay. */
async function cancelOthers(
  doors: Pick<FlinkDoors, 'rest' | 'pollMs'>,
  name: string,
  jobId: string,
): Promise<void> {
  const jobs = await doors.rest.jobs();
  for (const job of jobs)
    if (job.name === name && job.id !== jobId && !hasEnded(job.state)) await cancelAndWait(doors, job.id);
}

/** Returns when the job has ended, or Flink does not know it. */
export async function cancelAndWait(
  { rest, pollMs }: Pick<FlinkDoors, 'rest' | 'pollMs'>,
  jobId: string,
): Promise<void> {
  for (let isAsked = false; ; isAsked = true) {
    heartbeat();
    const job = await rest.job(jobId);
    if (job === undefined || hasEnded(job.state)) return;
    if (!isAsked) await rest.cancel(jobId);
    await delay(pollMs, undefined, { signal: cancellationSignal() });
  }
}
