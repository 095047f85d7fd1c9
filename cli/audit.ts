/** `hourglass audit`: the hours whose row is not the aggregate of their observations. */
import { Command, Option } from 'commander';
import { instant } from './arguments.ts';
import { renderTable } from './table.ts';
import { withDatabase } from './with-database.ts';

const DAY_MS = 24 * 3_600_000;

export function auditCommand(): Command {
  return new Command('audit')
    .description('Hours in weather_hourly that are not the aggregate of observations')
    .addOption(
      new Option(
        '--since <time>',
        'look at hours with rows stored since then; the last day unless given',
      ).argParser(instant),
    )
    .option('--json', 'print as JSON')
    .action(audit);
}

interface DifferentHour {
  readonly city_id: number;
  readonly window_start: Date;
  readonly is_missing: boolean;
  readonly differences: Readonly<Record<string, { observations: unknown; hourly: unknown }>>;
}

async function audit({ since, json }: { since?: Date; json?: boolean }): Promise<void> {
  const from = since ?? new Date(Date.now() - DAY_MS);
  const hours = await withDatabase((database) => database.query<DifferentHour>('audit-hours', [from]));
  if (json) console.log(JSON.stringify(hours, undefined, 2));
  else if (hours.length === 0)
    console.log(`No hour differs, of those with rows stored since ${from.toISOString()}.`);
  else console.log(describe(hours));
}

function describe(hours: readonly DifferentHour[]): string {
  return renderTable(
    ['City', 'Hour', 'What differs (hourly, observations)'],
    hours.map((hour) => [
      String(hour.city_id),
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
