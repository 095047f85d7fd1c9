/** `hourglass audit`: the hours whose row is not the aggregate of their observations. */
import { Command, Option } from 'commander';
import { pipelines } from '../pipelines/index.ts';
import { hour, instant } from './arguments.ts';
import { type RangeOptions, rangeOf, rangeText } from './completeness/range.ts';
import { renderTable } from './table.ts';
import { withDatabase } from './with-database.ts';

const DAY_MS = 24 * 3_600_000;

export function auditCommand(): Command {
  const names = Object.keys(pipelines);
  return new Command('audit')
    .description('Hours whose row is not the aggregate of their observations')
    .addOption(new Option('--pipeline <name>', 'whose hours').choices(names).default(names[0]))
    .addOption(
      new Option(
        '--since <time>',
        'look at hours with rows stored since then; the last day unless given',
      ).argParser(instant),
    )
    .addOption(
      new Option('--from <hour>', 'look at every hour from then on instead, stored whenever')
        .argParser(hour)
        .conflicts('since'),
    )
    .addOption(new Option('--to <hour>', 'and up to then').argParser(hour).conflicts('since'))
    .option('--json', 'print as JSON')
    .action(audit);
}

interface DifferentHour {
  readonly entity_id: number;
  readonly window_start: Date;
  readonly is_missing: boolean;
  readonly differences: Readonly<Record<string, { observations: unknown; hourly: unknown }>>;
}

interface AuditOptions extends RangeOptions {
  readonly pipeline: string;
  readonly since?: Date;
  readonly json?: boolean;
}

async function audit({ pipeline, since, json, ...options }: AuditOptions): Promise<void> {
  const isRanged = options.from !== undefined || options.to !== undefined;
  const range = isRanged ? rangeOf(options, new Date()) : undefined;
  const stored = range === undefined ? (since ?? new Date(Date.now() - DAY_MS)) : null;
  const parameters = [stored, range?.from ?? null, range?.to ?? null];
  const hours = await withDatabase((database) =>
    database.query<DifferentHour>('audit-hours', parameters, pipeline),
  );
  if (json) console.log(JSON.stringify(hours, undefined, 2));
  else if (hours.length === 0)
    console.log(
      `No hour differs, of ${range === undefined ? `those with rows stored since ${stored?.toISOString()}` : `all from ${rangeText(range)}`}.`,
    );
  else console.log(describe(hours));
}

function describe(hours: readonly DifferentHour[]): string {
  return renderTable(
    ['City', 'Hour', 'What differs (hourly, observations)'],
    hours.map((hour) => [
      String(hour.entity_id),
      hour.window_start.toISOString().slice(0, 16),
      hour.is_missing
        ? 'there is no row'
        : Object.entries(hour.differences)
            .map(([figure, { observations, hourly }]) => `${figure} ${hourly}, ${observations}`)
            .join(' · '),
    ]),
    Number.POSITIVE_INFINITY,
  );
}
