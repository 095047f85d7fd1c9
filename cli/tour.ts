/** `hourglass tour`: breaks one hour of invented weather and shows it being found, explained and mended; the steps are in `cli/tour/`. */
import { Command } from 'commander';
import { loadConfig } from '../config/load.ts';
import { HourglassError } from '../domain/errors.ts';
import { weather } from '../pipelines/weather/definition.ts';
import { collected } from './arguments.ts';
import { isConfirmed } from './confirm.ts';
import { locationsNamed } from './named-locations.ts';
import { breakHour, chooseHour, differencesOf, hourOf, type TourHour } from './tour/hour.ts';
import { followMending } from './tour/mending.ts';
import { brokenText, chosenText, figuresText, plannedText } from './tour/text.ts';
import { withTemporal } from './with-temporal.ts';

export function tourCommand(): Command {
  return new Command('tour')
    .description('Break one hour of the mock, and see it found, explained and mended')
    .option('--city <name or id>', 'whose hour; any unless given, can be repeated', collected)
    .option('--yes', 'do not ask')
    .option('--json', 'print as JSON what happened')
    .action(tour);
}

interface TourOptions {
  readonly city?: readonly string[];
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** Thrown before anything is broken. */
class TourRefusedError extends HourglassError {
  constructor(why: string) {
    super('TOUR_REFUSED', `Nothing was broken: ${why}`);
  }
}

/** Thrown when the hour's verdict is good again, and it is not what it was. That is a mistake of Hourglass. */
class TourNotTrueError extends HourglassError {
  constructor(what: string) {
    super('TOUR_NOT_TRUE', `The hour was judged to be mended, but ${what}. Please report it.`);
  }
}

async function tour({ city, yes = false, json = false }: TourOptions): Promise<void> {
  const { values } = loadConfig();
  const { WEATHER_SOURCE: source, INGEST_SHARDS: shards } = values;
  if (source !== 'mock')
    throw new TourRefusedError(
      `the weather of ${source} is real. The tour is for a stack with WEATHER_SOURCE=mock.`,
    );
  if (!values.COMPLETENESS_REPAIR)
    throw new TourRefusedError('nothing would mend it, as COMPLETENESS_REPAIR is false.');
  const say = json ? console.error : console.log;
  await withTemporal(async (client, database) => {
    const named = city === undefined ? undefined : await locationsNamed(database, weather.name, city);
    const hour = await chooseHour(database, weather, named, new Date());
    if (hour === undefined)
      throw new TourRefusedError(
        'no hour of the last day is over for ten minutes, true, and still in the log. A stack that has just started needs a moment; `npx hourglass completeness show` shows what there is.',
      );
    say(chosenText(hour, await hourOf(database, hour)));
    say(plannedText(hour));
    if (!yes && !(await isConfirmed('Break this hour?')))
      throw new TourRefusedError('nobody said yes to it; with --yes nobody is asked.');
    const before = await hourOf(database, hour);
    const taken = await breakHour(database, hour);
    if (taken.length === 0) throw new TourRefusedError('the weather in this database is not invented.');
    say(brokenText(taken, await hourOf(database, hour)));
    const began = Date.now();
    const verdicts = await followMending(client, database, { hour, source, shards, say });
    const seconds = Math.round((Date.now() - began) / 1_000);
    const after = await hourOf(database, hour);
    await requireTruth(database, hour, [before.stored, after.stored]);
    say(
      `\nMended after ${seconds} s, and true again: the hour's row is the aggregate of its observations, figure by figure.`,
    );
    say(figuresText(after));
    if (json) console.log(JSON.stringify({ hour, taken, verdicts, seconds, before, after }, undefined, 2));
  });
}

/** @throws TourNotTrueError */
async function requireTruth(
  database: Parameters<typeof differencesOf>[0],
  hour: TourHour,
  [before, after]: readonly [number, number],
): Promise<void> {
  if (after !== before) throw new TourNotTrueError(`${after} of its ${before} observations are stored`);
  const different = await differencesOf(database, hour);
  if (different.length > 0) throw new TourNotTrueError(`its row differs in ${different.join(', ')}`);
}
