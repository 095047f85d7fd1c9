/** `hourglass completeness explain`: one window's verdict, its reason with the proofs, what it was before, and what becomes of it. */
import {
  type JudgedWindow,
  judgedWindows,
  type WindowChange,
  windowChanges,
} from '../../clients/completeness-ledger.ts';
import { proofsOfSource } from '../../clients/completeness-map.ts';
import type { Database } from '../../clients/postgres.ts';
import { loadConfig } from '../../config/load.ts';
import { HOUR_MS } from '../../domain/backfill-windows.ts';
import { explainWindow } from '../../domain/completeness-explanations.ts';
import { HourglassError } from '../../domain/errors.ts';
import { locationsNamed, locationText, type NamedLocation } from '../named-locations.ts';
import { withDatabase } from '../with-database.ts';
import { explanationText } from './explanation-text.ts';
import { hourText } from './range.ts';

export interface ExplainOptions {
  readonly pipeline: string;
  readonly json?: boolean;
}

/** Thrown for a window that no check has judged. Nothing is known of it; that is no sign of anything. */
export class WindowNotJudgedError extends HourglassError {
  constructor(location: NamedLocation, start: Date) {
    const [from, to] = [start, new Date(start.getTime() + HOUR_MS)].map(hourText);
    super(
      'WINDOW_NOT_JUDGED',
      `The hour ${from} of ${locationText(location)} was never judged, or does not lie wholly within the time in which the location is watched. \`npx hourglass completeness check --from ${from} --to ${to} --city ${location.city_id}\` judges it.`,
    );
  }
}

export interface WindowStory {
  readonly location: NamedLocation;
  readonly window: JudgedWindow;
  readonly changes: readonly WindowChange[];
}

export async function explainCompleteness(
  name: string,
  start: Date,
  { pipeline, json }: ExplainOptions,
): Promise<void> {
  const story = await withDatabase((database) => storyOf(database, pipeline, name, start));
  if (json) console.log(JSON.stringify({ ...story, explanation: explainWindow(story.window) }, undefined, 2));
  else console.log(explanationText(story, new Date()));
}

/** @throws LocationNotChosenError, WindowNotJudgedError */
async function storyOf(
  database: Database,
  pipeline: string,
  name: string,
  start: Date,
): Promise<WindowStory> {
  const [location] = await locationsNamed(database, pipeline, [name]);
  if (location === undefined) throw new Error(`no location for ${name}`);
  const { city_id: entityId } = location;
  const range = { pipeline, from: start, to: new Date(start.getTime() + HOUR_MS) };
  const [window] = await judgedWindows(database, { ...range, entities: [entityId], limit: 1 });
  if (window === undefined) throw new WindowNotJudgedError(location, start);
  const changes = await windowChanges(database, { ...range, entityId });
  if (window.reason === null || window.evidence !== null) return { location, window, changes };
  // A good verdict keeps no evidence; what proves its reason is still there.
  const { WEATHER_SOURCE: source } = loadConfig().values;
  const evidence = await proofsOfSource(database, {
    ...{ pipeline, source, entityId },
    ...{ windowStart: range.from, windowEnd: range.to },
  });
  return { location, window: { ...window, evidence }, changes };
}
