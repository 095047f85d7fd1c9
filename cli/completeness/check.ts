/** `hourglass completeness check`: has windows judged now instead of at the next hour, and tells what was found where that is asked. */
import { latestCheck } from '../../clients/completeness-checks.ts';
import { type CheckRequest, startCheck } from '../../clients/completeness-control.ts';
import { type MapQuestion, verdictsOf } from '../../clients/completeness-map.ts';
import type { Database } from '../../clients/postgres.ts';
import { loadConfig } from '../../config/load.ts';
import { GOOD_VERDICTS } from '../../domain/completeness-verdicts.ts';
import { HourglassError } from '../../domain/errors.ts';
import { counted } from '../backfill/plan-text.ts';
import { locationsNamed } from '../named-locations.ts';
import { UsageError } from '../usage-error.ts';
import { withTemporal } from '../with-temporal.ts';
import { legendLines, paint } from './heatmap-text.ts';
import { type HourRange, hourText, type RangeOptions, rangeOf, rangeText } from './range.ts';

export interface CheckOptions extends RangeOptions {
  readonly pipeline: string;
  readonly city?: readonly string[];
  /** False with `--no-repair`. */
  readonly repair: boolean;
  readonly wait?: boolean;
  readonly json?: boolean;
}

/** Thrown for options of which one needs another. Nothing was started. */
class NoRangeError extends UsageError {
  constructor(option: string) {
    super(
      'NO_RANGE',
      `Nothing was started: ${option} needs --from, the first hour to judge. Without a range the check goes on where the last one ended, for all locations.`,
    );
  }
}

/** Thrown when a check that was followed has ended, and not every window of its range is good. Repairs may still be under way. */
class WindowsFlawedError extends HourglassError {
  constructor(flawed: number, range: HourRange) {
    super(
      'WINDOWS_FLAWED',
      `${counted(flawed, 'window')} of ${rangeText(range)} ${flawed === 1 ? 'is' : 'are'} not complete: \`npx hourglass completeness show --from ${hourText(range.from)} --to ${hourText(range.to)}\` shows which, and the command that tells why.`,
    );
  }
}

export async function checkCompleteness(options: CheckOptions): Promise<void> {
  const { pipeline, city, repair, wait, json } = options;
  const range = rangeAsked(options);
  await withTemporal(async (client, database) => {
    const named = city === undefined ? undefined : await locationsNamed(database, pipeline, city);
    const narrowed = named === undefined ? {} : { entities: named.map(({ city_id }) => city_id) };
    const { WEATHER_SOURCE: source, INGEST_SHARDS: shards } = loadConfig().values;
    const request: CheckRequest = {
      ...{ pipeline, source, shards, repair },
      ...(range === undefined ? {} : { from: range.from.toISOString(), to: range.to.toISOString() }),
      ...narrowed,
    };
    const run = await startCheck(client, request);
    const { workflowId } = run;
    // A workflow is started whether or not a worker is there; its answer shows that one is.
    await run.answers();
    if (!wait) {
      tell({ workflowId, result: 'started' }, [`The check is under way as workflow ${workflowId}.`], json);
      return;
    }
    await run.ended();
    const judged = range ?? (await rangeOfLatest(database, pipeline));
    await tellFound(database, { pipeline, ...judged, ...narrowed }, { workflowId, json });
  });
}

/** Undefined when the ledger is to say it. @throws NoRangeError, EmptyRangeError */
function rangeAsked(options: CheckOptions): HourRange | undefined {
  if (options.from !== undefined) return rangeOf(options, new Date());
  if (options.to !== undefined) throw new NoRangeError('--to');
  if (options.city !== undefined) throw new NoRangeError('--city');
  return undefined;
}

async function rangeOfLatest(database: Database, pipeline: string): Promise<HourRange> {
  const check = await latestCheck(database, pipeline);
  if (check === undefined) throw new Error(`the check of ${pipeline} has ended and is on no record`);
  return { from: check.judgedFrom, to: check.judgedTo };
}

/** @throws WindowsFlawedError */
async function tellFound(
  database: Database,
  question: MapQuestion,
  { workflowId, json }: { readonly workflowId: string; readonly json: boolean | undefined },
): Promise<void> {
  const { from, to } = question;
  const counts = await verdictsOf(database, question);
  tell(
    { workflowId, result: 'ended', from, to, counts },
    [`Judged ${rangeText(question)}:`, ...legendLines(counts, paint)],
    json,
  );
  const flawed = Object.entries(counts).reduce(
    (sum, [verdict, windows]) => sum + ((GOOD_VERDICTS as readonly string[]).includes(verdict) ? 0 : windows),
    0,
  );
  if (flawed > 0) throw new WindowsFlawedError(flawed, question);
}

function tell(document: object, lines: readonly string[], json: boolean | undefined): void {
  console.log(json ? JSON.stringify(document, undefined, 2) : lines.join('\n'));
}
