/** How the last replay of a dead letter is told in a word and a time. */
import type { ReplayOutcome } from '../../domain/dead-letter-replay.ts';

export function outcomeText({
  outcome,
  replayed_at: at,
}: {
  readonly outcome: ReplayOutcome | null;
  readonly replayed_at: Date | null;
}): string {
  return outcome === null || at === null ? 'never' : `${outcome} ${at.toISOString().slice(0, 19)}`;
}
