/** How far a backfill is, how fast it goes and how long it may still take: arithmetic alone. How that is shown is the command line's. */
import { type BackfillState, CHUNK_STATES, type ChunkState } from './backfill-states.ts';

export interface ProgressFacts {
  readonly state: BackfillState;
  readonly counts: Readonly<Record<ChunkState, { readonly chunks: number; readonly windows: number }>>;
  /** Windows that were done since it was started, or retried, last. */
  readonly doneSinceStart: number;
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
  readonly now: Date;
}

export interface BackfillProgress {
  readonly windows: number;
  readonly done: number;
  /** Of all windows, from 0 to 1; 1 for a backfill without any. */
  readonly part: number;
  /** Since it was started last; undefined while nothing is done. */
  readonly windowsPerMinute: number | undefined;
  /** At that rate; undefined when it is not known, or nothing goes on. */
  readonly secondsLeft: number | undefined;
}

/** Only what is done counts as progress: what failed or was cancelled is not to come any more, and is no success. */
export function progressOf(facts: ProgressFacts): BackfillProgress {
  const { state, counts } = facts;
  const windows = CHUNK_STATES.reduce((sum, each) => sum + counts[each].windows, 0);
  const done = counts.done.windows;
  const toCome = windows - done - counts.failed.windows - counts.cancelled.windows;
  const windowsPerMinute = rateOf(facts);
  const secondsLeft =
    state === 'running' && windowsPerMinute !== undefined ? (toCome * 60) / windowsPerMinute : undefined;
  return { windows, done, part: windows === 0 ? 1 : done / windows, windowsPerMinute, secondsLeft };
}

function rateOf({ doneSinceStart, startedAt, endedAt, now }: ProgressFacts): number | undefined {
  if (startedAt === null || doneSinceStart === 0) return undefined;
  // The clocks of the database and of whoever asks may differ by a little.
  const tookMs = Math.max(1_000, (endedAt ?? now).getTime() - startedAt.getTime());
  return (doneSinceStart * 60_000) / tookMs;
}

/** `███████░░░░░`. It is full only when all is done, and not empty when anything is. @param part from 0 to 1 */
export function progressBar(part: number, width: number): string {
  const exact = part * width;
  const filled = part >= 1 ? width : part <= 0 ? 0 : Math.min(width - 1, Math.max(1, Math.floor(exact)));
  return `${'█'.repeat(filled)}${'░'.repeat(width - filled)}`;
}

/** Rounded down, so that 100 % means all. */
export const percentOf = (part: number): number => Math.floor(part * 100);
