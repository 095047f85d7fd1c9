/** `hourglass dead-letters`: the records that could not become rows, with the reason of each. */
import { Command, Option } from 'commander';
import { HourglassError } from '../domain/errors.ts';
import { wholeNumber } from './arguments.ts';
import { renderTable } from './table.ts';
import { withDatabase } from './with-database.ts';

export function deadLettersCommand(): Command {
  const command = new Command('dead-letters').description('Records that could not become rows, and why');
  command
    .command('list')
    .description('The newest ones')
    .addOption(new Option('--limit <number>', 'how many').default(20).argParser(wholeNumber))
    .option('--json', 'print as JSON')
    .action(list);
  command
    .command('show')
    .description('One of them with its bytes')
    .argument('<topic>')
    .argument('<partition>', 'its partition', wholeNumber)
    .argument('<offset>', 'its offset', wholeNumber)
    .option('--raw', 'print nothing but the bytes')
    .option('--json', 'print as JSON, the bytes in base64')
    .action(show);
  return command;
}

interface ListedLetter {
  readonly topic: string;
  readonly partition_id: number;
  readonly record_offset: number;
  readonly reason: string;
  readonly key: string | null;
  readonly bytes: number | null;
  readonly first_seen: Date;
}

interface Letter {
  readonly reason: string;
  readonly key: Buffer | null;
  readonly raw_bytes: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly published_at: Date;
  readonly first_seen: Date;
  readonly replayed_at: Date | null;
  readonly outcome: string | null;
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

async function list({ limit, json }: { limit: number; json?: boolean }): Promise<void> {
  const letters = await withDatabase((database) => database.query<ListedLetter>('dead-letters', [limit]));
  if (json) console.log(JSON.stringify(letters, undefined, 2));
  else if (letters.length === 0) console.log('There are no dead letters.');
  else
    console.log(
      renderTable(
        ['Seen', 'Topic', 'Part', 'Offset', 'Reason'],
        letters.map((letter) => [
          letter.first_seen.toISOString().slice(0, 19),
          letter.topic,
          String(letter.partition_id),
          String(letter.record_offset),
          letter.reason.slice(0, 100),
        ]),
        // The reason is what one came for: it may run over the edge rather than be left out.
        Number.POSITIVE_INFINITY,
      ),
    );
}

async function show(
  topic: string,
  partition: number,
  offset: number,
  { raw, json }: { raw?: boolean; json?: boolean },
): Promise<void> {
  const [letter] = await withDatabase((database) =>
    database.query<Letter>('dead-letter', [topic, partition, offset]),
  );
  if (letter === undefined) throw new NoSuchDeadLetterError(topic, partition, offset);
  const { key, raw_bytes: bytes, ...rest } = letter;
  if (raw) process.stdout.write(bytes ?? '');
  else if (json)
    console.log(
      JSON.stringify(
        { ...rest, key: key?.toString() ?? null, rawBytes: bytes?.toString('base64') ?? null },
        undefined,
        2,
      ),
    );
  else
    console.log(
      [
        letter.reason,
        `key        ${key ?? '(none)'}`,
        `published  ${letter.published_at.toISOString()}, seen ${letter.first_seen.toISOString()}`,
        ...Object.entries(letter.headers).map(([name, value]) => `${name.padEnd(10)} ${value}`),
        '',
        bytes === null ? '(no value)' : bytes.toString(),
      ].join('\n'),
    );
}
