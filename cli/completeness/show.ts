/** `hourglass completeness show`: the map of what windows were judged, the locations with the most flawed ones first. */
import type { JudgedWindow } from '../../clients/completeness-ledger.ts';
import {
  everyWindow,
  locationsToMap,
  type MappedLocation,
  type MapQuestion,
  verdictsOf,
} from '../../clients/completeness-map.ts';
import type { Database } from '../../clients/postgres.ts';
import { type HeatmapWindow, heatmapBlocks } from '../../domain/completeness-heatmap.ts';
import { completenessVerdicts } from '../../domain/completeness-verdicts.ts';
import { shown } from '../backfill/plan-text.ts';
import { locationsNamed } from '../named-locations.ts';
import { withDatabase } from '../with-database.ts';
import { blockLines, legendLines, nameWidth, paint } from './heatmap-text.ts';
import { hourText, type RangeOptions, rangeOf, rangeText } from './range.ts';

export interface ShowOptions extends RangeOptions {
  readonly pipeline: string;
  readonly city?: readonly string[];
  /** So many locations are shown. */
  readonly limit: number;
  readonly json?: boolean;
}

interface Shown {
  readonly question: MapQuestion;
  readonly counts: Awaited<ReturnType<typeof verdictsOf>>;
  readonly locations: readonly MappedLocation[];
  /** How many there are. */
  readonly all: number;
}

const DEFAULT_COLUMNS = 80;

export async function showCompleteness({ city, limit, json, ...options }: ShowOptions): Promise<void> {
  await withDatabase(async (database) => {
    const named = city === undefined ? undefined : await locationsNamed(database, options.pipeline, city);
    const question: MapQuestion = {
      ...{ pipeline: options.pipeline, ...rangeOf(options, new Date()) },
      ...(named === undefined ? {} : { entities: named.map(({ city_id }) => city_id) }),
    };
    const counts = await verdictsOf(database, question);
    const { locations, all } = await locationsToMap(database, { ...question, limit });
    const known: Shown = { question, counts, locations, all };
    if (json) console.log(JSON.stringify(await documentOf(database, known), undefined, 2));
    else console.log((await mapLines(database, known)).join('\n'));
  });
}

/** Of the shown locations alone. */
const windowsOf = (database: Database, { question, locations }: Shown): AsyncGenerator<JudgedWindow> =>
  everyWindow(database, { ...question, entities: locations.map(({ entityId }) => entityId) });

async function mapLines(database: Database, known: Shown): Promise<readonly string[]> {
  const { question, counts, locations, all } = known;
  if (locations.length === 0) return [nothingJudged(question)];
  const windows: HeatmapWindow[] = [];
  let flawed: JudgedWindow | undefined;
  for await (const window of windowsOf(database, known)) {
    windows.push({
      entityId: window.entityId,
      windowStart: window.windowStart,
      verdict: window.verdict,
    });
    if (!completenessVerdicts[window.verdict].isGood) flawed = window;
  }
  const columns = (process.stdout.columns ?? DEFAULT_COLUMNS) - nameWidth(locations);
  const blocks = heatmapBlocks({ ...question, locations, windows, columns });
  const left = all - locations.length;
  return [
    `Completeness of ${question.pipeline}, ${rangeText(question)}, hours in UTC`,
    '',
    ...blocks.flatMap((block) => [...blockLines(block, paint), '']),
    ...legendLines(counts, paint),
    'Where nothing stands, a window was never judged, or is not expected.',
    ...(left > 0
      ? [`${shown(left)} more locations have no more flawed windows than these: --limit shows them.`]
      : []),
    ...(flawed === undefined ? [] : ['', nextStep(flawed)]),
  ];
}

const nothingJudged = (question: MapQuestion): string =>
  `No window of ${rangeText(question)} was judged. \`npx hourglass completeness check --from ${hourText(question.from)} --to ${hourText(question.to)}\` judges them.`;

/** Of the newest one. */
const nextStep = ({ entityId, windowStart }: JudgedWindow): string =>
  `Why: \`npx hourglass completeness explain ${entityId} ${hourText(windowStart)}\`.`;

async function documentOf(database: Database, known: Shown) {
  const { question, counts, locations, all } = known;
  const windows: JudgedWindow[] = [];
  for await (const window of windowsOf(database, known)) windows.push(window);
  return {
    ...{ pipeline: question.pipeline, from: question.from, to: question.to, counts },
    ...{ locations, locationsLeftOut: all - locations.length, windows },
  };
}
