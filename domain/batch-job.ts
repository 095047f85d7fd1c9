/**
 * Decides how a run of a batch job goes on. It owns the phases, their transitions and what a look at the Flink job means; acting
 * is left to the workflow `runBatchJob`.
 *
 *   judging ──▶ submitting ──▶ running ──▶ finished
 *      │          ▲  │ refused    │ lost
 *      │          │  ▼            │
 *      │        waiting ◀─────────┘       submitting, running, waiting ──▶ cancelling ──▶ cancelled
 *      └───────────┴──▶ failed            judging ──▶ cancelled
 *
 * Invariants, each held by the test of that name in `batch-job.test.ts`: "a run that has ended stays as it is"; "there are never
 * more attempts than the policy has"; "a cancelled run submits nothing any more".
 */
import type { BatchPolicy } from '../schemas/batch-job.ts';
import { backoffMs } from './job-machine.ts';

export const BATCH_PHASES = [
  'judging',
  'submitting',
  'running',
  'waiting',
  'cancelling',
  'finished',
  'failed',
  'cancelled',
] as const;
export type BatchPhase = (typeof BATCH_PHASES)[number];

interface PhaseFacts {
  /** The run ends here. */
  readonly terminal: boolean;
  readonly description: string;
}

export const batchPhases: Readonly<Record<BatchPhase, PhaseFacts>> = {
  judging: { terminal: false, description: 'Its parameters are being judged; nothing is submitted yet.' },
  submitting: { terminal: false, description: 'Its Flink job has an id and is being submitted.' },
  running: { terminal: false, description: 'Flink has the job.' },
  waiting: {
    terminal: false,
    description: 'Flink lost or refused the job; it is submitted again after a pause.',
  },
  cancelling: { terminal: false, description: 'It was cancelled; its Flink job is being ended.' },
  finished: { terminal: true, description: 'Everything is written.' },
  failed: {
    terminal: true,
    description: 'It was refused, or all attempts failed. What was written stays; running it again is safe.',
  },
  cancelled: {
    terminal: true,
    description: 'It was cancelled, and no Flink job of it goes on. What was written stays.',
  },
};

export const BATCH_EVENTS = [
  'accepted',
  'submitted',
  'refused',
  'finished',
  'lost',
  'retried',
  'gaveUp',
  'cancelAsked',
  'cancelled',
] as const;
export type BatchEvent = (typeof BATCH_EVENTS)[number];

const ended = (phase: BatchPhase): Readonly<Record<BatchEvent, BatchPhase>> => ({
  accepted: phase,
  submitted: phase,
  refused: phase,
  finished: phase,
  lost: phase,
  retried: phase,
  gaveUp: phase,
  cancelAsked: phase,
  cancelled: phase,
});

/** Total: an event that means nothing in a phase leaves it as it is. */
export const batchTransitions: Readonly<Record<BatchPhase, Readonly<Record<BatchEvent, BatchPhase>>>> = {
  judging: {
    accepted: 'submitting',
    submitted: 'judging',
    refused: 'judging',
    finished: 'judging',
    lost: 'judging',
    retried: 'judging',
    gaveUp: 'failed',
    // There is no Flink job to end.
    cancelAsked: 'cancelled',
    cancelled: 'judging',
  },
  submitting: {
    accepted: 'submitting',
    submitted: 'running',
    refused: 'waiting',
    finished: 'submitting',
    lost: 'submitting',
    retried: 'submitting',
    gaveUp: 'submitting',
    cancelAsked: 'cancelling',
    cancelled: 'submitting',
  },
  running: {
    accepted: 'running',
    submitted: 'running',
    refused: 'running',
    finished: 'finished',
    lost: 'waiting',
    retried: 'running',
    gaveUp: 'running',
    cancelAsked: 'cancelling',
    cancelled: 'running',
  },
  waiting: {
    accepted: 'waiting',
    submitted: 'waiting',
    refused: 'waiting',
    finished: 'waiting',
    lost: 'waiting',
    retried: 'submitting',
    gaveUp: 'failed',
    cancelAsked: 'cancelling',
    cancelled: 'waiting',
  },
  cancelling: {
    accepted: 'cancelling',
    submitted: 'cancelling',
    refused: 'cancelling',
    finished: 'cancelling',
    lost: 'cancelling',
    retried: 'cancelling',
    gaveUp: 'cancelling',
    cancelAsked: 'cancelling',
    cancelled: 'cancelled',
  },
  finished: ended('finished'),
  failed: ended('failed'),
  cancelled: ended('cancelled'),
};

export interface BatchRun {
  readonly phase: BatchPhase;
  /** Counts the Flink jobs of the run; 0 before the first. */
  readonly attempt: number;
  /** Why the newest failed attempt failed, or the run was refused; empty when neither. */
  readonly reason: string;
}

export const newRun: BatchRun = { phase: 'judging', attempt: 0, reason: '' };

/** @param reason why, for an event that is a failure */
export function advance(run: BatchRun, event: BatchEvent, reason?: string): BatchRun {
  const phase = batchTransitions[run.phase][event];
  if (phase === run.phase) return run;
  return { phase, attempt: run.attempt + (phase === 'submitting' ? 1 : 0), reason: reason ?? run.reason };
}

/** How long to wait before the next attempt; undefined when there is to be none. */
export function pauseMs({ attempt }: Pick<BatchRun, 'attempt'>, policy: BatchPolicy): number | undefined {
  return attempt >= policy.attempts ? undefined : backoffMs(attempt, policy);
}

/** What a look at the Flink job shows. */
export interface BatchProgress {
  /** As Flink names it, or {@link UNKNOWN}. */
  readonly state: string;
  readonly finishedParts: number;
  /** Left out while Flink plans the later parts: it waits for what the earlier ones find. */
  readonly parts?: number;
  /** Records that reached the parts that write them; left out until those are planned. */
  readonly recordsWritten?: number;
}

/** The state of a job that the cluster does not know: it was lost with its JobManager, or never arrived. */
export const UNKNOWN = 'UNKNOWN';

const EVENT_OF: Readonly<Record<string, BatchEvent>> = {
  FINISHED: 'finished',
  FAILED: 'lost',
  CANCELED: 'lost',
  [UNKNOWN]: 'lost',
};

/** What the state means to the run; undefined while the job goes on. */
export const eventOf = ({ state }: Pick<BatchProgress, 'state'>): BatchEvent | undefined => EVENT_OF[state];

/** Whether it is worth telling; the count of records alone is not, it changes all the time. */
export function isNews(seen: BatchProgress | undefined, now: BatchProgress): boolean {
  return (
    seen === undefined ||
    seen.state !== now.state ||
    seen.parts !== now.parts ||
    seen.finishedParts !== now.finishedParts
  );
}

export function progressText({ state, finishedParts, parts, recordsWritten }: BatchProgress): string {
  const all = parts === undefined ? 'more to come' : `of ${parts}`;
  const written = recordsWritten === undefined ? '' : `, ${recordsWritten} records written`;
  return `Flink says ${state}, parts finished: ${finishedParts} (${all})${written}`;
}

/** The job's name in Flink. A later run of the same workflow finds by it what an earlier one left behind, and no stream is named like this. */
export const flinkNameOf = (workflowId: string): string => `run of ${workflowId}`;
