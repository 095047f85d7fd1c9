/** Registers rows of texts, from a file or from the command line: all of them or, when one cannot stand, none. */
import type { Database } from '../../clients/postgres.ts';
import type { Config } from '../../config/load.ts';
import {
  type GivenLocation,
  type LocationMistake,
  type LocationTexts,
  mergeLocation,
  type RegisteredLocation,
  readLocation,
} from '../../domain/locations.ts';
import { LocationMistakesError } from './errors.ts';
import { changeRegistry, type RegistryOutcome } from './registry.ts';

export interface RowOfTexts {
  readonly texts: LocationTexts;
  /** Where a mistake in it is: `line 3, lat`, `--lat`. */
  readonly place: (column: LocationMistake['column']) => string;
  readonly line?: number;
}

export interface Registered {
  readonly new: readonly RegisteredLocation[];
  readonly changed: readonly RegisteredLocation[];
  readonly unchanged: readonly RegisteredLocation[];
  /** Of those that changed: begin later than before, so that the hours between are no longer expected. */
  readonly beginLater: number;
  readonly beginEarlier: number;
  /** Of all that were given: their end has passed, and they stay inactive. */
  readonly ended: number;
}

export interface Registration {
  readonly rows: readonly RowOfTexts[];
  /** Found before the rows could be read; they are told with the others. */
  readonly mistakes?: readonly string[];
  readonly now: Date;
  readonly dryRun: boolean;
}

/** @throws LocationMistakesError with every mistake, OverPlanError */
export async function registerLocations(
  database: Database,
  config: Config,
  { rows, mistakes: earlier = [], now, dryRun }: Registration,
): Promise<RegistryOutcome<Registered>> {
  const read = readRows(rows);
  return changeRegistry(database, config, {
    cityIds: read.rows.map(({ given }) => given.city_id),
    now,
    dryRun,
    decide: (stored) => {
      const changes = read.rows.map((row) => ({
        ...row,
        stored: stored.get(row.given.city_id),
        change: mergeLocation(row.given, stored.get(row.given.city_id), now),
      }));
      const merged = changes.flatMap(({ change, source }) =>
        change.kind === 'mistake' ? change.mistakes.map((mistake) => textOfMistake(source, mistake)) : [],
      );
      const mistakes = [...earlier, ...read.mistakes, ...merged];
      if (mistakes.length > 0) throw new LocationMistakesError(inOrder(mistakes));
      return outcomeOf(changes, now);
    },
  });
}

interface ReadRow {
  readonly source: RowOfTexts;
  readonly given: GivenLocation;
}

function readRows(sources: readonly RowOfTexts[]): { rows: readonly ReadRow[]; mistakes: readonly string[] } {
  const rows: ReadRow[] = [];
  const mistakes: string[] = [];
  const first = new Map<number, RowOfTexts>();
  for (const source of sources) {
    const read = readLocation(source.texts);
    if ('mistakes' in read) {
      mistakes.push(...read.mistakes.map((mistake) => textOfMistake(source, mistake)));
      continue;
    }
    const { city_id } = read.given;
    const earlier = first.get(city_id);
    if (earlier === undefined) first.set(city_id, source);
    else {
      const expected = `each city once, and line ${earlier.line} has it already`;
      mistakes.push(textOfMistake(source, { column: 'city_id', value: String(city_id), expected }));
    }
    rows.push({ source, given: read.given });
  }
  return { rows, mistakes };
}

const textOfMistake = (source: RowOfTexts, { column, value, expected }: LocationMistake): string =>
  `${source.place(column)} is ${value === '' ? 'empty' : `"${value.slice(0, 80)}"`}: expected ${expected}`;

/** By their lines; those without one keep their order. */
function inOrder(mistakes: readonly string[]): readonly string[] {
  const lineOf = (mistake: string): number => Number(/^line (\d+)/.exec(mistake)?.[1] ?? 0);
  return [...mistakes].sort((one, other) => lineOf(one) - lineOf(other));
}

interface Change {
  readonly stored: RegisteredLocation | undefined;
  readonly change: ReturnType<typeof mergeLocation>;
}

function outcomeOf(
  changes: readonly Change[],
  now: Date,
): { rows: readonly RegisteredLocation[]; outcome: Registered } {
  const ofKind = (wanted: 'new' | 'changed' | 'unchanged'): readonly RegisteredLocation[] =>
    changes.flatMap(({ change }) =>
      change.kind !== 'mistake' && change.kind === wanted ? [change.location] : [],
    );
  const [added, changed, unchanged] = [ofKind('new'), ofKind('changed'), ofKind('unchanged')];
  const begunAt = new Map(
    changes.flatMap(({ stored }) => (stored === undefined ? [] : [[stored.city_id, stored.active_from]])),
  );
  const moved = changed.map(
    ({ city_id, active_from }) => active_from.getTime() - (begunAt.get(city_id) ?? active_from).getTime(),
  );
  const ended = [...added, ...changed, ...unchanged].filter(
    ({ active_to }) => active_to !== null && active_to <= now,
  ).length;
  return {
    rows: [...added, ...changed],
    outcome: {
      new: added,
      changed,
      unchanged,
      beginLater: moved.filter((ms) => ms > 0).length,
      beginEarlier: moved.filter((ms) => ms < 0).length,
      ended,
    },
  };
}
