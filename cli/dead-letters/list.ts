/** `hourglass dead-letters list`: the newest dead letters, what became of their replay, and how many there are. */
import type { ReplayOutcome } from '../../domain/dead-letter-replay.ts';
import { renderTable } from '../table.ts';
import { withDatabase } from '../with-database.ts';
import { outcomeText } from './outcome-text.ts';

interface ListOptions {
  readonly topic?: string;
  readonly since?: Date;
  readonly notReplayed?: boolean;
  readonly limit: number;
  readonly json?: boolean;
}

interface ListedLetter {
  readonly topic: string;
  readonly partition_id: number;
  readonly record_offset: number;
  readonly reason: string;
  readonly key: string | null;
  readonly bytes: number | null;
  readonly first_seen: Date;
  readonly replayed_at: Date | null;
  readonly outcome: ReplayOutcome | null;
  readonly outcome_reason: string | null;
  /** Of all that the question is about, also those that are not listed. */
  readonly letters: number;
}

export async function listDeadLetters(options: ListOptions): Promise<void> {
  const { topic = null, since = null, notReplayed = false, limit, json } = options;
  const letters = await withDatabase((database) =>
    database.query<ListedLetter>('dead-letters', [topic, since, notReplayed, limit]),
  );
  if (json)
    console.log(
      JSON.stringify(
        letters.map(({ letters: _, ...letter }) => letter),
        undefined,
        2,
      ),
    );
  else console.log(describe(letters, topic !== null || since !== null || notReplayed));
}

function describe(letters: readonly ListedLetter[], isFiltered: boolean): string {
  const [newest] = letters;
  if (newest === undefined)
    return isFiltered ? 'There are no such dead letters.' : 'There are no dead letters.';
  const table = renderTable(
    ['Seen', 'Topic', 'Part', 'Offset', 'Replay', 'Reason'],
    letters.map((letter) => [
      letter.first_seen.toISOString().slice(0, 19),
      letter.topic,
      String(letter.partition_id),
      String(letter.record_offset),
      outcomeText(letter),
      letter.reason.slice(0, 100),
    ]),
    // The reason is what one came for: it may run over the edge rather than be left out.
    Number.POSITIVE_INFINITY,
  );
  const noun = newest.letters === 1 ? 'dead letter' : 'dead letters';
  const shown = letters.length < newest.letters ? `, the newest ${letters.length} are shown (--limit)` : '';
  return `${table}\n\n${newest.letters} ${noun}${shown}`;
}
