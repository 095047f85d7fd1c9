/** `hourglass dead-letters show`: one dead letter with its bytes, its headers, and what became of its replay. */
import { placeText, type ReplayOutcome, replayOutcomes } from '../../domain/dead-letter-replay.ts';
import { HourglassError } from '../../domain/errors.ts';
import { withDatabase } from '../with-database.ts';
import { outcomeText } from './outcome-text.ts';

interface ShownLetter {
  readonly reason: string;
  readonly key: Buffer | null;
  readonly raw_bytes: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly published_at: Date;
  readonly first_seen: Date;
  readonly replayed_at: Date | null;
  readonly outcome: ReplayOutcome | null;
  readonly outcome_reason: string | null;
  readonly replayed_to_topic: string | null;
  readonly replayed_to_partition: number | null;
  readonly replayed_to_offset: number | null;
}

/** Thrown when no dead letter stands at that place. */
class NoSuchDeadLetterError extends HourglassError {
  constructor(topic: string, partition: number, offset: number) {
    super(
      'NO_SUCH_DEAD_LETTER',
      `There is no dead letter at offset ${offset} of partition ${partition} of ${topic}; \`hourglass dead-letters list\` shows the newest.`,
    );
  }
}

export async function showDeadLetter(
  topic: string,
  partition: number,
  offset: number,
  { raw, json }: { raw?: boolean; json?: boolean },
): Promise<void> {
  const [letter] = await withDatabase((database) =>
    database.query<ShownLetter>('dead-letter', [topic, partition, offset]),
  );
  if (letter === undefined) throw new NoSuchDeadLetterError(topic, partition, offset);
  if (raw) process.stdout.write(letter.raw_bytes ?? '');
  else console.log(json ? asJson(letter) : describe(letter));
}

function asJson({ key, raw_bytes: bytes, ...rest }: ShownLetter): string {
  return JSON.stringify(
    { ...rest, key: key?.toString() ?? null, rawBytes: bytes?.toString('base64') ?? null },
    undefined,
    2,
  );
}

function describe(letter: ShownLetter): string {
  return [
    letter.reason,
    `key        ${letter.key ?? '(none)'}`,
    `published  ${letter.published_at.toISOString()}, seen ${letter.first_seen.toISOString()}`,
    `replay     ${replayText(letter)}`,
    ...Object.entries(letter.headers).map(([name, value]) => `${name.padEnd(10)} ${value}`),
    '',
    letter.raw_bytes === null ? '(no value)' : letter.raw_bytes.toString(),
  ].join('\n');
}

function replayText(letter: ShownLetter): string {
  const { outcome, outcome_reason: reason } = letter;
  const { replayed_to_topic: topic, replayed_to_partition: partition, replayed_to_offset: offset } = letter;
  if (outcome === null) return 'never';
  const place =
    topic === null || partition === null || offset === null
      ? ''
      : `, published at ${placeText({ topic, partition, offset })}`;
  return `${outcomeText(letter)}: ${reason ?? replayOutcomes[outcome].description}${place}`;
}
