/** Changes the registry in one transaction, and refuses what the plan does not carry. What a change is, its caller decides. */
import type { Database, Queries } from '../../clients/postgres.ts';
import type { Config } from '../../config/load.ts';
import { type LivePlan, planLiveCalls } from '../../domain/call-budget.ts';
import type { RegisteredLocation } from '../../domain/locations.ts';
import { sharingTheKey } from '../../pipelines/index.ts';
import { planLimits } from '../../pipelines/openweathermap-plans.ts';
import { OverPlanError } from './errors.ts';

export interface RegistryChange<T> {
  readonly cityIds: readonly number[];
  readonly now: Date;
  /** Everything but writing: the change is made, judged, and rolled back. */
  readonly dryRun: boolean;
  /** @returns whole rows to be written, and what is to be told of them; throws when one cannot stand */
  readonly decide: (stored: ReadonlyMap<number, RegisteredLocation>) => {
    readonly rows: readonly RegisteredLocation[];
    readonly outcome: T;
  };
}

/** What became of a change, and what live polling needs after it. */
export interface RegistryOutcome<T> {
  readonly outcome: T;
  readonly plan: LivePlan;
}

interface CadenceDemand {
  readonly cadence_minutes: number;
  readonly locations: number;
}

/** So many rows go to the database in one statement. */
const CHUNK = 5_000;

/** Carries the outcome of a dry run out of the transaction that it rolls back. */
class RolledBack<T> extends Error {
  readonly result: RegistryOutcome<T>;

  constructor(result: RegistryOutcome<T>) {
    super('rolled back as intended');
    this.result = result;
  }
}

/** @throws OverPlanError, and what `decide` throws; nothing is written then */
export async function changeRegistry<T>(
  database: Database,
  { values }: Config,
  { cityIds, now, dryRun, decide }: RegistryChange<T>,
): Promise<RegistryOutcome<T>> {
  const planned = async (queries: Queries): Promise<LivePlan> => {
    const demand: CadenceDemand[] = [];
    // Each pipeline that shares the key polls its own registry, which may follow from this one.
    for (const pipeline of sharingTheKey(values.PIPELINES))
      demand.push(...(await queries.query<CadenceDemand>('live-demand', [now], pipeline)));
    const named = demand.map(({ cadence_minutes, locations }) => ({
      cadenceMinutes: cadence_minutes,
      locations,
    }));
    return planLiveCalls(named, planLimits[values.OPENWEATHERMAP_PLAN]);
  };
  try {
    return await database.transaction(async (queries) => {
      await queries.query('lock-registry');
      const before = await planned(queries);
      const { rows, outcome } = decide(await storedLocations(queries, cityIds));
      for (const chunk of chunksOf(rows)) await queries.query('store-locations', [JSON.stringify(chunk)]);
      const plan = await planned(queries);
      // A registry that already needs too much may be changed as long as it does not need more.
      if (!plan.fits && needsMore(plan, before)) throw new OverPlanError(values.OPENWEATHERMAP_PLAN, plan);
      if (dryRun) throw new RolledBack({ outcome, plan });
      return { outcome, plan };
    });
  } catch (error) {
    if (error instanceof RolledBack) return error.result;
    throw error;
  }
}

const needsMore = (after: LivePlan, before: LivePlan): boolean =>
  after.callsPerMinute > before.callsPerMinute || after.callsPerMonth > before.callsPerMonth;

async function storedLocations(
  queries: Queries,
  cityIds: readonly number[],
): Promise<ReadonlyMap<number, RegisteredLocation>> {
  const stored = new Map<number, RegisteredLocation>();
  for (const chunk of chunksOf(cityIds)) {
    const rows = await queries.query<RegisteredLocation>('stored-locations', [chunk]);
    for (const row of rows) stored.set(row.city_id, row);
  }
  return stored;
}

function* chunksOf<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let from = 0; from < items.length; from += CHUNK) yield items.slice(from, from + CHUNK);
}
