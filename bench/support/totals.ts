/** What both tables hold of some cities, in five figures; the rows themselves are compared by the tests of backfills. */
import { WrongResultError } from './errors.ts';
import { readBenchSql } from './sql.ts';
import type { WholeStack } from './whole-stack.ts';

export interface Totals {
  readonly observations: number;
  readonly hours: number;
  /** Observations that the hours count. */
  readonly counted: number;
  /** The sum of all temperatures, °C. */
  readonly temperatures: number;
}

/** Ids from `firstId` on up to another thousand million, observed in [from, to). */
export interface Part {
  readonly firstId: number;
  readonly from: string;
  readonly to: string;
}

/** Each set of cities has so many ids for its own. */
export const IDS_OF_A_SET = 1_000_000_000;

export async function totalsOf(
  { sql }: Pick<WholeStack, 'sql'>,
  { firstId, from, to }: Part,
): Promise<Totals & { readonly temperaturesOfHours: number }> {
  const { rows } = await sql.query(readBenchSql('totals-of-cities'), [
    ...[firstId, firstId + IDS_OF_A_SET],
    ...[from, to],
  ]);
  return rows[0];
}

/** Sums of a million means lose a few of their last digits. */
const TOLERANCE = 1e-9;

/** @throws WrongResultError */
export async function checkTotals(
  stack: Pick<WholeStack, 'sql'>,
  part: Part,
  what: string,
  expected: Totals,
): Promise<void> {
  const found = await totalsOf(stack, part);
  const wanted = { ...expected, temperaturesOfHours: expected.temperatures };
  const differences = Object.entries(wanted).flatMap(([name, value]) => {
    const stored = found[name as keyof typeof found];
    const isSame = Math.abs(stored - value) <= TOLERANCE * Math.max(1, Math.abs(value));
    return isSame ? [] : [`${name}: ${stored} instead of ${value}`];
  });
  if (differences.length > 0) throw new WrongResultError(what, differences);
}
