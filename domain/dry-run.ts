/** Decides what a dry run has shown: whether the saved state of a job fits another version of it, in one sentence. It only judges. */
import { type ReplayEstimate, replayText } from './replay-estimate.ts';
import { restoreFailure } from './restore-failures.ts';

/** What the candidate started from. */
export type DryRunOrigin =
  | { readonly kind: 'savepoint' | 'kept'; readonly path: string }
  /** There is no state: it was never saved, or none could be. */
  | { readonly kind: 'none'; readonly reason: string };

/** How the candidate was seen to end, or to go on. */
export type CandidateSight =
  /** A checkpoint was completed after all its parts ran. */
  | { readonly end: 'checkpoint'; readonly seconds: number }
  /** Flink, or the SQL Gateway, says no. `trace` is everything it said. */
  | { readonly end: 'refused' | 'failed'; readonly reason: string; readonly trace: string }
  | { readonly end: 'untold'; readonly reason: string };

export const DRY_RUN_VERDICTS = ['fits', 'doesNotFit', 'wouldReplay', 'fails', 'untold'] as const;
export type DryRunVerdict = (typeof DRY_RUN_VERDICTS)[number];

export interface DryRunAnswer {
  readonly verdict: DryRunVerdict;
  readonly sentence: string;
}

/** @param sight undefined when there was nothing to start the candidate from */
export function dryRunAnswer(
  origin: DryRunOrigin,
  sight: CandidateSight | undefined,
  replay: ReplayEstimate,
): DryRunAnswer {
  if (origin.kind === 'none' || sight === undefined) {
    const why = origin.kind === 'none' ? `: ${origin.reason}` : '';
    return { verdict: 'wouldReplay', sentence: `${replayText(replay)}${why}` };
  }
  switch (sight.end) {
    case 'checkpoint':
      return {
        verdict: 'fits',
        sentence: `state fits: it was restored, ran, and completed a checkpoint after ${sight.seconds} s`,
      };
    case 'untold':
      return { verdict: 'untold', sentence: `it could not be told whether the state fits: ${sight.reason}` };
    case 'refused':
    case 'failed':
      return failureAnswer(sight, replay);
  }
}

function failureAnswer(
  { end, reason, trace }: Extract<CandidateSight, { reason: string; trace: string }>,
  replay: ReplayEstimate,
): DryRunAnswer {
  const misfit = restoreFailure(trace);
  if (misfit !== undefined)
    return {
      verdict: 'doesNotFit',
      sentence: `state does not fit, because ${misfit}; a shadow upgrade (--shadow) ${replayText(replay)}`,
    };
  const what = end === 'refused' ? 'Flink refuses it' : 'it fails when it runs';
  return { verdict: 'fails', sentence: `${what}, whatever it starts from: ${reason}` };
}
