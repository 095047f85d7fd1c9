/**
 * Twenty-four hours of many cities as ingestion would have left them, in the live topic and on record, with a gap of every kind in them.
 * What a check is to find in each, and what is left after its repair, is part of the kind.
 */
import type { MockCity } from '../../mock/cities.ts';
import { observationTimeOfHour, publicationLagSeconds } from '../../mock/publication.ts';
import {
  defaultStepSeconds,
  type MockWeather,
  observationTimesBetween,
  weatherAt,
} from '../../mock/weather.ts';

const MINUTE = 60;
const HOUR = 3_600;
const DAY = 24 * HOUR;
const CADENCE = 10;
const POLLS = HOUR / MINUTE / CADENCE;

/** What became of a poll. */
type Outcome = 'published' | 'run_lost' | 'unchanged' | 'failed' | 'rejected' | 'poisoned' | 'late';

interface GapKind {
  /** Counted from the first of the day. */
  readonly hour: number;
  /** What became of the polls of the hour and the first of the next, from this one on: as they are paced, so many are enough. */
  readonly polls?: { readonly outcome: Outcome; readonly from: number };
  /** What somebody does to the tables, of one location ($1) and hour ($2). */
  readonly damage?: readonly string[];
  /** Nothing ran for the hour and ten minutes more, but for the first so many: every location has this gap. */
  readonly ofAll?: true;
  /** What the source's history answers of it. */
  readonly history?: 'nothing' | 'refusal';
  /** The verdict and the reason; the verdict is left out where it depends on when the location is polled. */
  readonly found: string;
  /** `complete_at_source` where what was published and fetched is less than the location is to have, else `repaired`. */
  readonly left: string;
}

const rows =
  "from observations where city_id = $1 and observed_at >= $2 and observed_at < $2 + interval '1 hour'";
const row = 'where city_id = $1 and window_start = $2';

const gapKinds = {
  'lost runs': {
    ...{ hour: 3, polls: { outcome: 'run_lost', from: 0 }, ofAll: true },
    ...{ found: '/run_missing', left: 'complete_at_source' },
  },
  'runs lost in part': {
    ...{ hour: 5, polls: { outcome: 'run_lost', from: 3 }, ofAll: true },
    ...{ found: 'partial/run_missing', left: 'complete_at_source' },
  },
  'a stale source': {
    ...{ hour: 7, polls: { outcome: 'unchanged', from: 3 }, history: 'nothing' },
    ...{ found: 'complete_at_source/source_unchanged', left: 'complete_at_source' },
  },
  'a source that was stale for the whole hour': {
    ...{ hour: 8, polls: { outcome: 'unchanged', from: 0 } },
    ...{ found: 'missing/source_unchanged', left: 'complete_at_source' },
  },
  'failed calls': {
    ...{ hour: 9, polls: { outcome: 'failed', from: 3 } },
    ...{ found: 'partial/api_failed', left: 'complete_at_source' },
  },
  'payloads that were rejected': {
    ...{ hour: 10, polls: { outcome: 'rejected', from: 3 } },
    ...{ found: 'partial/record_rejected', left: 'complete_at_source' },
  },
  'poison in the topic': {
    ...{ hour: 11, polls: { outcome: 'poisoned', from: 3 } },
    ...{ found: 'partial/record_rejected', left: 'complete_at_source' },
  },
  'deleted rows': {
    ...{
      hour: 12,
      damage: [
        `delete from observations where (city_id, observed_at) in (select city_id, observed_at ${rows} limit 4)`,
      ],
    },
    ...{ found: 'mismatched/published_not_stored', left: 'repaired' },
  },
  'an hour that was deleted with its rows': {
    ...{ hour: 13, damage: [`delete ${rows}`, `delete from weather_hourly ${row}`] },
    ...{ found: 'missing/published_not_stored', left: 'repaired' },
  },
  'a deleted aggregate': {
    ...{ hour: 14, damage: [`delete from weather_hourly ${row}`] },
    ...{ found: 'mismatched/aggregate_wrong', left: 'repaired' },
  },
  'a tampered aggregate': {
    ...{ hour: 15, damage: [`update weather_hourly set wind_avg = wind_avg + 1 ${row}`] },
    ...{ found: 'mismatched/aggregate_wrong', left: 'repaired' },
  },
  'a stream that stands still': {
    ...{ hour: 17, polls: { outcome: 'late', from: 0 } },
    ...{ found: 'behind/not_yet_processed', left: 'complete' },
  },
  'lost runs of which the history has nothing': {
    ...{ hour: 18, polls: { outcome: 'run_lost', from: 0 }, ofAll: true, history: 'nothing' },
    ...{ found: '/run_missing', left: 'complete_at_source' },
  },
  'failed calls of which the history is refused': {
    ...{ hour: 20, polls: { outcome: 'failed', from: 0 }, history: 'refusal' },
    ...{ found: 'missing/api_failed', left: 'unrepairable' },
  },
} as const satisfies Record<string, GapKind>;
type GapName = keyof typeof gapKinds;

export const kindOf = ({ name }: Pick<Gap, 'name'>): GapKind => gapKinds[name];

export interface Gap {
  readonly name: GapName;
  readonly city: MockCity;
  /** Unix seconds. */
  readonly hourStart: number;
}

interface DayRecord {
  readonly key: string;
  readonly value: string;
  /** When it was published, in Unix milliseconds. */
  readonly atMs: number;
  readonly isLate: boolean;
}

interface Poll {
  /** Unix seconds. */
  readonly at: number;
  readonly cityId: number;
  readonly outcome: Outcome;
}

export interface DayOfGaps {
  readonly gaps: readonly Gap[];
  /** In the order of their publishing. */
  readonly records: readonly DayRecord[];
  /** Everything but what was published. */
  readonly polls: readonly Poll[];
  /** Minutes in which no run was completed, in Unix seconds. */
  readonly lostRuns: ReadonlySet<number>;
  /** What the source's history answers otherwise: `<city id>/<hour>` in Unix seconds. */
  readonly history: ReadonlyMap<string, 'nothing' | 'refusal'>;
  /** What the tables must hold in the end. */
  readonly truth: readonly MockWeather[];
}

export const windowKey = (cityId: number, atSeconds: number): string =>
  `${cityId}/${Math.floor(atSeconds / HOUR) * HOUR}`;

/** @param from the first hour, in Unix seconds */
export function dayOfGaps(seed: string, cities: readonly MockCity[], from: number): DayOfGaps {
  const gaps = placedGaps(cities, from);
  const outcomes = new Map(gaps.flatMap((gap) => outcomesOf(gap)));
  const polls: Poll[] = [...outcomes].map(([key, outcome]) => {
    const [cityId = 0, at = 0] = key.split('/').map(Number);
    return { at, cityId, outcome };
  });
  const published: MockWeather[] = [];
  const records = cities.flatMap((city) =>
    observationTimesBetween({ seed, cityId: city.id, fromSeconds: from, toSeconds: from + DAY }).flatMap(
      (dt) => {
        const weather = weatherAt({ seed, city, atSeconds: dt, stepSeconds: defaultStepSeconds });
        const servedAt = dt + publicationLagSeconds({ seed, cityId: city.id }, dt);
        const at = firstPollAfter(city.id, servedAt);
        const outcome = outcomes.get(`${city.id}/${at}`) ?? 'published';
        const isStored = outcome === 'published' || outcome === 'late';
        if (isStored) published.push(weather);
        else if (outcome !== 'poisoned') return [];
        const value = JSON.stringify(weather);
        const record = {
          key: String(city.id),
          value: isStored ? value : value.slice(0, -1),
          atMs: at * 1_000 + 2_000,
        };
        return [{ ...record, isLate: outcome === 'late' }];
      },
    ),
  );
  const history = new Map(
    gaps.flatMap(({ name, city, hourStart }) => {
      const { history: answer } = kindOf({ name });
      return answer === undefined ? [] : [[windowKey(city.id, hourStart), answer] as const];
    }),
  );
  return {
    ...{ gaps, polls, history },
    records: records.sort((one, other) => one.atMs - other.atMs),
    lostRuns: new Set(gaps.flatMap(lostMinutes)),
    truth: [...published, ...fetched(seed, gaps, published)],
  };
}

const firstPollAfter = (cityId: number, seconds: number): number => {
  const offset = (cityId % CADENCE) * MINUTE;
  return Math.ceil((seconds - offset) / (CADENCE * MINUTE)) * CADENCE * MINUTE + offset;
};

/** Each kind has a city of its own, or is everybody's. */
function placedGaps(cities: readonly MockCity[], from: number): readonly Gap[] {
  return Object.entries(gapKinds as Record<GapName, GapKind>).flatMap(([name, { hour, ofAll }], index) => {
    const those = ofAll ? cities : [cities[index] as MockCity];
    return those.map((city) => ({ name: name as GapName, city, hourStart: from + hour * HOUR }));
  });
}

/** By `<city id>/<time of the poll>`. */
function outcomesOf({ name, city, hourStart }: Gap): readonly (readonly [string, Outcome])[] {
  const { polls } = kindOf({ name });
  if (polls === undefined) return [];
  const first = firstPollAfter(city.id, hourStart);
  return Array.from({ length: POLLS + 1 - polls.from }, (_, index) => {
    const at = first + (polls.from + index) * CADENCE * MINUTE;
    return [`${city.id}/${at}`, polls.outcome] as const;
  });
}

/** Unix seconds. A run in any minute of a slot would have made up for it. */
function lostMinutes({ name, hourStart }: Gap): readonly number[] {
  const { polls, ofAll } = kindOf({ name });
  if (polls === undefined || ofAll === undefined) return [];
  const first = hourStart + polls.from * CADENCE * MINUTE;
  const end = hourStart + HOUR + CADENCE * MINUTE;
  return Array.from({ length: (end - first) / MINUTE }, (_, index) => first + index * MINUTE);
}

/** What the history brings of windows that lack observations: the one it has of each hour, unless it is stored. */
function fetched(
  seed: string,
  gaps: readonly Gap[],
  published: readonly MockWeather[],
): readonly MockWeather[] {
  const stored = new Set(published.map(({ id, dt }) => `${id}/${dt}`));
  return gaps.flatMap(({ name, city, hourStart }) => {
    const { history, polls } = kindOf({ name });
    if (history !== undefined || polls === undefined || polls.outcome === 'late') return [];
    const dt = observationTimeOfHour({ seed, cityId: city.id }, hourStart);
    if (dt === undefined || stored.has(`${city.id}/${dt}`)) return [];
    return [weatherAt({ seed, city, atSeconds: dt, stepSeconds: defaultStepSeconds })];
  });
}
