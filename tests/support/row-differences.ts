/** Compares tables of many thousand rows, where `toEqual` would take minutes to say what differs. */
import { isDeepStrictEqual } from 'node:util';

type Row = Readonly<Record<string, unknown>>;

const MOST_SHOWN = 10;

/**
 * What differs between the rows that were found and those that are true, in words; empty when nothing does. Columns that the
 * truth does not name are not looked at. Numbers may differ by 1e-9, which the order of a sum decides.
 * @param keyOf names a row; two found rows of one name differ from any truth
 */
export function rowDifferences(
  found: readonly Row[],
  truth: readonly Row[],
  keyOf: (row: Row) => string,
): string[] {
  const differences: string[] = [];
  const unseen = new Map(truth.map((row) => [keyOf(row), row]));
  for (const row of found) {
    const key = keyOf(row);
    const expected = unseen.get(key);
    unseen.delete(key);
    if (expected === undefined) differences.push(`${key} is not true, or is there twice`);
    for (const [column, value] of Object.entries(expected ?? {})) {
      if (!isSame(row[column], value))
        differences.push(
          `${key}: ${column} is ${JSON.stringify(row[column])}, should be ${JSON.stringify(value)}`,
        );
    }
  }
  for (const key of unseen.keys()) differences.push(`${key} is missing`);
  return differences.length > MOST_SHOWN
    ? [...differences.slice(0, MOST_SHOWN), `and ${differences.length - MOST_SHOWN} more`]
    : differences;
}

/** The driver gives a bigint as text. */
function isSame(found: unknown, expected: unknown): boolean {
  if (typeof expected === 'number' && (typeof found === 'number' || typeof found === 'string'))
    return Math.abs(Number(found) - expected) <= 1e-9;
  return isDeepStrictEqual(found, expected);
}
