/**
 * Decides what a new version of a job has still to prove, from what was seen of it. What follows when it has, or has not in time, is
 * decided in `domain/job-upgrade.ts`.
 */
import type { JobPolicy } from '../schemas/job.ts';
import type { Judgement } from './job-health.ts';
import { restoreFailure } from './restore-failures.ts';

/** One look at a new version, as far as confirming it needs. */
export interface UpgradeLook {
  /** Completed since it was submitted. */
  readonly checkpoints: number;
  /** Undefined when Kafka did not answer. */
  readonly progress: { readonly read: number; readonly end: number } | undefined;
  /** Records that its sources have handed on, and that have reached the parts that write; undefined when that cannot be told. */
  readonly handed?: number | undefined;
  readonly written?: number | undefined;
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

/**
 * What a version that runs has still to prove: checkpoints, that it reads what comes, and that it writes what it reads.
 * @param base as {@link baseLook} tells
 * @returns empty when it is confirmed
 */
export function missingProof(
  base: UpgradeLook | undefined,
  now: UpgradeLook,
  { upgradeCheckpoints: wanted }: Pick<JobPolicy, 'upgradeCheckpoints'>,
): string {
  if (now.checkpoints < wanted) return `${now.checkpoints} of ${wanted} checkpoints are completed`;
  if (now.progress === undefined) return 'Kafka does not tell how far it has read';
  if (base?.progress === undefined || base === now) return 'how far it reads is not known yet';
  const read = now.progress.read - base.progress.read;
  const came = now.progress.end - base.progress.end;
  if (read <= 0 && came > 0) return `it has read none of the ${came} records that came`;
  const { handed = 0, written } = now;
  const hasRead = (read > 0 && came > 0) || handed > 0;
  return written === 0 && hasRead
    ? `it reads, and has written none of ${Math.max(read, handed)} records`
    : '';
}

/** What a judgement means of a version that has to be confirmed. @param failure what its newest failure said */
export function judgeUpgrade(
  judgement: Judgement | undefined,
  missing: string,
  failure: string,
): Judgement | undefined {
  const hasEnded = judgement?.verdict === 'lost';
  if (!hasEnded && doesNotFit(failure)) return { verdict: 'unstable', reason: failure };
  const isWell = judgement === undefined || judgement.verdict === 'stable';
  return isWell && missing !== '' ? { verdict: 'settling', reason: missing } : judgement;
}

const doesNotFit = (text: string): boolean => restoreFailure(text) !== undefined;
