/** `hourglass accounting`: shows that every record of a topic is stored, a duplicate, or a dead letter. */
import { Command, Option } from 'commander';
import { connectKafka } from '../clients/kafka.ts';
import { connectDatabase } from '../clients/postgres.ts';
import { accountFor, type InspectRecord } from '../clients/record-accounts.ts';
import { kafkaBrokers, postgresAddress } from '../config/addresses.ts';
import { type Config, loadConfig } from '../config/load.ts';
import { HourglassError } from '../domain/errors.ts';
import { addAccounts, emptyAccount, type RecordAccount } from '../domain/record-accounts.ts';
import { contracts, pipelinesNamed, tablesOf } from '../pipelines/index.ts';
import type { PipelineDefinition } from '../schemas/pipeline.ts';
import { wholeNumber } from './arguments.ts';
import { renderTable } from './table.ts';

interface Options {
  readonly topic?: string;
  readonly partition?: number;
  readonly from?: number;
  readonly to?: number;
  readonly json?: boolean;
}

export function accountingCommand(): Command {
  return new Command('accounting')
    .description('For the records the stream has read: read = stored + duplicates + dead letters')
    .addOption(new Option('--topic <name>', 'one topic; all that the stream reads unless given'))
    .addOption(new Option('--partition <number>', 'one partition').argParser(wholeNumber))
    .addOption(
      new Option(
        '--from <offset>',
        'the first offset; the first that Kafka still has unless given',
      ).argParser(wholeNumber),
    )
    .addOption(
      new Option(
        '--to <offset>',
        'the offset to stop before; what the stream has read unless given',
      ).argParser(wholeNumber),
    )
    .option('--json', 'print as JSON')
    .action(accounting);
}

interface AccountRow extends RecordAccount {
  readonly topic: string;
  readonly partition: number;
  readonly first: number;
  readonly end: number;
  /** Records behind `end` that the stream has not read yet. */
  readonly ahead: number;
}

/** Thrown for a topic that no stream reads. */
class UnknownTopicError extends HourglassError {
  constructor(name: string, known: readonly string[]) {
    super('UNKNOWN_TOPIC', `No stream reads a topic "${name}"; there are: ${known.join(', ')}.`);
  }
}

/** Thrown when records are neither stored, nor duplicates, nor dead letters. */
class UnaccountedError extends HourglassError {
  constructor(count: number) {
    super(
      'UNACCOUNTED',
      `${count} records are not accounted for yet: the workflow account-for-records runs each minute; if they stay, see its last run in the Temporal UI.`,
    );
  }
}

async function accounting(options: Options): Promise<void> {
  const rows = await collect(options);
  const total = rows.reduce<RecordAccount>(addAccounts, emptyAccount);
  console.log(
    options.json ? JSON.stringify({ partitions: rows, total }, undefined, 2) : describe(rows, total),
  );
  if (total.unaccounted > 0) throw new UnaccountedError(total.unaccounted);
}

async function collect(options: Options): Promise<AccountRow[]> {
  const config = loadConfig();
  const kafka = connectKafka(kafkaBrokers(config));
  const database = connectDatabase({ ...postgresAddress(config), connections: 2 }, tablesOf);
  try {
    const rows: AccountRow[] = [];
    for (const { topic, pipeline, inspect } of topicsOf(config, options.topic)) {
      const committed = await kafka.committedOffsets(pipeline.consumerGroup, topic);
      for (const { partition, low, high } of await kafka.watermarks(topic)) {
        if (options.partition !== undefined && options.partition !== partition) continue;
        const read = Math.min(committed.get(partition) ?? 0, high);
        const first = Math.min(Math.max(options.from ?? low, low), read);
        const end = Math.max(first, Math.min(options.to ?? read, read));
        const account = await accountFor(
          { database, kafka },
          topic,
          { partition, first, end },
          { pipeline: pipeline.name, inspect },
        );
        rows.push({ topic, partition, first, end, ...account, ahead: high - read });
      }
    }
    return rows;
  } finally {
    await kafka.close();
    await database.close();
  }
}

interface ReadTopic {
  readonly topic: string;
  readonly pipeline: PipelineDefinition;
  readonly inspect: InspectRecord;
}

function topicsOf({ values }: Config, wanted: string | undefined): readonly ReadTopic[] {
  // A topic is made when its pipeline is first run.
  const all = pipelinesNamed(values.PIPELINES).flatMap((pipeline) => {
    const inspect = contracts[pipeline.name];
    const { live, repairs } = pipeline.topics;
    return inspect === undefined
      ? []
      : [live, repairs].map(({ name }) => ({ topic: name, pipeline, inspect }));
  });
  const chosen = all.filter(({ topic }) => wanted === undefined || topic === wanted);
  if (wanted !== undefined && chosen.length === 0)
    throw new UnknownTopicError(
      wanted,
      all.map(({ topic }) => topic),
    );
  return chosen;
}

function describe(rows: readonly AccountRow[], total: RecordAccount): string {
  const figures = (account: RecordAccount): string[] =>
    [account.read, account.stored, account.duplicates, account.deadLetters, account.unaccounted].map(String);
  const table = renderTable(
    ['Topic', 'Part', 'From', 'To', 'Read', 'Stored', 'Dupl', 'Dead', 'Open', 'Ahead'],
    rows.map((row) => [
      row.topic,
      String(row.partition),
      String(row.first),
      String(row.end),
      ...figures(row),
      String(row.ahead),
    ]),
    process.stdout.columns,
  );
  const { read, stored, duplicates, deadLetters, unaccounted } = total;
  const open = unaccounted === 0 ? '' : ` + ${unaccounted} not accounted for yet`;
  return `${table}\n\n${read} read = ${stored} stored + ${duplicates} duplicates + ${deadLetters} dead letters${open}`;
}
