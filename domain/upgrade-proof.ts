/**
 * Decides what a new version of a job has still to prove, from what was seen of it. What follows when it has, or has not in time, is
 * decided in `domain/job-upgrade.ts`.
 */
import type { JobPolicy } from '../schemas/job.ts';
import type { JobSample, Judgement } from './job-health.ts';
import { restoreFailure } from './restore-failures.ts';

/** One look at a new version, as far as confirming it needs. */
export interface UpgradeLook {
  /** Completed since it was submitted. */
  readonly checkpoints: number;
  /** Undefined when Kafka did not answer. */
  readonly progress: { readonly read: number; readonly end: number } | undefined;
  /** How long it has run without a failure. */
  readonly undisturbedMs: number;
  /** Records that its sources have handed on. */
  readonly handed: number;
  /** Records that reached each table's writer since it last started; empty when Flink does not tell. */
  readonly written: Readonly<Record<string, number>>;
}

/** How long a job has run as a whole since it last began to, or since its last failure, by Flink's clock. */
export function undisturbedMs({ nowMs, state, isWhole, runningSinceMs, failuresAtMs }: JobSample): number {
  if (state !== 'RUNNING' || !isWhole) return 0;
  return Math.max(0, nowMs - Math.max(runningSinceMs, ...failuresAtMs));
}

/**
 * The look that later ones are measured by: the first that knew how far it has read, and the latest that found it further back,
 * as after a start from an older snapshot.
 */
export function baseLook(base: UpgradeLook | undefined, now: UpgradeLook): UpgradeLook | undefined {
  if (now.progress === undefined) return base;
  const isFurtherBack = base?.progress === undefined || now.progress.read < base.progress.read;
  return isFurtherBack ? now : base;
}

type ProofPolicy = Pick<JobPolicy, 'upgradeCheckpoints' | 'upgradeLeastMs'>;

/**
 * What a version that runs has still to prove: checkpoints, that it reads what comes, that it writes what it reads, and that it goes
 * on doing so.
 * @param base as {@link baseLook} tells
 * @param tables those that every record it accepts changes
 * @returns empty when it is confirmed
 */
export function missingProof(
  base: UpgradeLook | undefined,
  now: UpgradeLook,
  { upgradeCheckpoints: wanted, upgradeLeastMs: leastMs }: ProofPolicy,
  tables: readonly string[],
): string {
  if (now.checkpoints < wanted) return `${now.checkpoints} of ${wanted} checkpoints are completed`;
  if (now.progress === undefined) return 'Kafka does not tell how far it has read';
  if (base?.progress === undefined || base === now) return 'how far it reads is not known yet';
  const read = now.progress.read - base.progress.read;
  const came = now.progress.end - base.progress.end;
  if (read <= 0 && came > 0) return `it has read none of the ${came} records that came`;
  const hasRead = (read > 0 && came > 0) || now.handed > 0;
  const empty = unwritten(now.written, tables);
  if (empty !== undefined && hasRead)
    return `it reads, and has written none of ${Math.max(read, now.handed)} records${empty}`;
  if (now.undisturbedMs >= leastMs) return '';
  return `it has run for ${seconds(now.undisturbedMs)} of ${seconds(leastMs)} without a failure`;
}

/** Which of the tables got nothing, in words; of a job that writes none of them, whether it writes anywhere. */
function unwritten(written: UpgradeLook['written'], tables: readonly string[]): string | undefined {
  const counts = Object.values(written);
  if (counts.length === 0) return undefined;
  if (!tables.some((table) => table in written)) return counts.every((count) => count === 0) ? '' : undefined;
  const empty = tables.filter((table) => (written[table] ?? 0) === 0);
  return empty.length === 0 ? undefined : ` to ${empty.join(' and ')}`;
}

const seconds = (ms: number): string => `${Math.floor(ms / 1_000)} s`;

/** What a judgement means of a version that has to be confirmed. @param failure what its newest failure said */
export function judgeUpgrade(
  judgement: Judgement | undefined,
  missing: string,
  failure: string,
): Judgement | undefined {
  const hasEnded = judgement?.verdict === 'lost';
  if (!hasEnded && doesNotFit(failure)) return { verdict: 'unstable', reason: failure };
  const isWell = judgement === undefined || judgement.verdict === 'stable';
  const newest = failure === '' ? '' : `; its last failure: ${failure}`;
  return isWell && missing !== '' ? { verdict: 'settling', reason: `${missing}${newest}` } : judgement;
}

const doesNotFit = (text: string): boolean => restoreFailure(text) !== undefined;
