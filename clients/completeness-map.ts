/** The door to what people are shown of the ledger of completeness: counts, the locations worth looking at, all windows of these. */
import type { WindowEvidence } from '../domain/completeness-evidence.ts';
import { type CompletenessVerdict, GOOD_VERDICTS } from '../domain/completeness-verdicts.ts';
import { type JudgedWindow, judgedWindows } from './completeness-ledger.ts';
import type { Queries } from './postgres.ts';

export interface MapQuestion {
  readonly pipeline: string;
  /** Whole hours; the end does not belong to it. */
  readonly from: Date;
  readonly to: Date;
  /** Every location of the registry when left out. */
  readonly entities?: readonly number[];
}

type VerdictCounts = Readonly<Partial<Record<CompletenessVerdict, number>>>;

/** Verdicts that no window has are left out. */
export async function verdictsOf(
  database: Queries,
  { pipeline, from, to, entities }: MapQuestion,
): Promise<VerdictCounts> {
  const rows = await database.query<{ verdict: CompletenessVerdict; windows: number }>(
    'verdicts-of-range',
    [pipeline, from, to, entities ?? null],
    pipeline,
  );
  return Object.fromEntries(rows.map(({ verdict, windows }) => [verdict, windows]));
}

export interface MappedLocation {
  readonly entityId: number;
  readonly name: string;
  readonly country: string;
  /** So many of its windows have a verdict that is not good. */
  readonly flawed: number;
}

interface LocationRow {
  readonly entity_id: number;
  readonly name: string;
  readonly country: string;
  readonly flawed: number;
  readonly locations: number;
}

/** The first of them, the most flawed ones first. @returns `all`: how many there are */
export async function locationsToMap(
  database: Queries,
  { pipeline, from, to, entities, limit }: MapQuestion & { readonly limit: number },
): Promise<{ readonly locations: readonly MappedLocation[]; readonly all: number }> {
  const rows = await database.query<LocationRow>(
    'locations-to-map',
    [pipeline, from, to, entities ?? null, GOOD_VERDICTS, limit],
    pipeline,
  );
  const locations = rows.map(({ entity_id: entityId, name, country, flawed }) => ({
    ...{ entityId, name, country, flawed },
  }));
  return { locations, all: rows[0]?.locations ?? 0 };
}

const PAGE = 5_000;

/** All judged windows of a range, page by page, in the order of their hours. */
export async function* everyWindow(database: Queries, question: MapQuestion): AsyncGenerator<JudgedWindow> {
  for (let after: JudgedWindow | undefined; ; ) {
    const page = await judgedWindows(database, {
      ...question,
      limit: PAGE,
      ...(after === undefined ? {} : { after }),
    });
    yield* page;
    if (page.length < PAGE) return;
    after = page.at(-1);
  }
}

interface WindowOfSource {
  readonly pipeline: string;
  readonly source: string;
  readonly entityId: number;
  readonly windowStart: Date;
  readonly windowEnd: Date;
}

/** What proves that the source has no more of a window. */
export async function proofsOfSource(
  database: Queries,
  { pipeline, source, entityId, windowStart, windowEnd }: WindowOfSource,
): Promise<WindowEvidence> {
  const [row] = await database.query<{
    answered_polls: WindowEvidence['answeredPolls'] | null;
    backfills: WindowEvidence['backfills'] | null;
  }>('proofs-of-source', [pipeline, source, entityId, windowStart, windowEnd]);
  return {
    ...(row?.answered_polls ? { answeredPolls: row.answered_polls } : {}),
    ...(row?.backfills ? { backfills: row.backfills } : {}),
  };
}
