/** `hourglass locations deactivate` and `activate`: the end of locations, and their beginning anew. */
import { loadConfig } from '../../config/load.ts';
import {
  type ActivityChange,
  activated,
  deactivated,
  type RegisteredLocation,
} from '../../domain/locations.ts';
import { withDatabase } from '../with-database.ts';
import { LocationMistakesError, UnknownLocationsError } from './errors.ts';
import { changeRegistry } from './registry.ts';
import { locationName } from './words.ts';

interface Shown {
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

export async function deactivateLocations(
  cityIds: readonly number[],
  { at, ...shown }: Shown & { at?: Date },
): Promise<void> {
  const now = new Date();
  const end = at ?? now;
  await change(cityIds, shown, {
    now,
    decide: (stored) => deactivated(stored, end),
    done: `polled and expected until ${end.toISOString()}; the observations stay, and \`npx hourglass locations activate\` has it begin again`,
  });
}

export async function activateLocations(
  cityIds: readonly number[],
  { from, ...shown }: Shown & { from?: Date },
): Promise<void> {
  const now = new Date();
  const begin = from ?? now;
  await change(cityIds, shown, {
    now,
    decide: (stored) => activated(stored, begin, now),
    done: `polled and expected from ${begin.toISOString()} on; hours before are not expected (--from names an earlier time)`,
  });
}

interface Activity {
  readonly now: Date;
  readonly decide: (stored: RegisteredLocation) => ActivityChange;
  readonly done: string;
}

interface DecidedChange {
  readonly stored: RegisteredLocation;
  readonly change: ActivityChange;
}

async function change(
  cityIds: readonly number[],
  { dryRun = false, json }: Shown,
  { now, decide, done }: Activity,
): Promise<void> {
  const unique = [...new Set(cityIds)];
  const { outcome, plan } = await withDatabase((database) =>
    changeRegistry(database, loadConfig(), {
      cityIds: unique,
      now,
      dryRun,
      decide: (stored) => decideAll(unique, stored, decide),
    }),
  );
  if (json)
    return console.log(JSON.stringify({ dryRun, locations: outcome.map(summaryOf), plan }, undefined, 2));
  const lines = outcome.map(({ stored, change }) =>
    change.kind === 'changed'
      ? `${locationName(stored)} ${dryRun ? 'would be' : 'is'} ${done}.`
      : `${locationName(stored)} stays as it is: ${change.kind === 'unchanged' ? change.reason : ''}.`,
  );
  console.log([...lines, plan.explanation].join('\n'));
}

/** @throws UnknownLocationsError, LocationMistakesError */
function decideAll(
  cityIds: readonly number[],
  stored: ReadonlyMap<number, RegisteredLocation>,
  decide: Activity['decide'],
): { rows: readonly RegisteredLocation[]; outcome: readonly DecidedChange[] } {
  const unknown = cityIds.filter((id) => !stored.has(id));
  if (unknown.length > 0) throw new UnknownLocationsError(unknown);
  const outcome = cityIds.flatMap((id) => {
    const location = stored.get(id);
    return location === undefined ? [] : [{ stored: location, change: decide(location) }];
  });
  const impossible = outcome.flatMap(({ stored: location, change }) =>
    change.kind === 'impossible' ? [`${locationName(location)}: ${change.reason}`] : [],
  );
  if (impossible.length > 0) throw new LocationMistakesError(impossible);
  return {
    rows: outcome.flatMap(({ change }) => (change.kind === 'changed' ? [change.location] : [])),
    outcome,
  };
}

const summaryOf = ({ stored, change }: DecidedChange): object => ({
  ...(change.kind === 'changed' ? change.location : stored),
  outcome: change.kind,
});
