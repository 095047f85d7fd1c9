/** Owns the reading of the mock's cities from the seed of the registry. */
import { readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';
import * as z from 'zod';
import { describeIssue } from '../schemas/openweathermap.ts';
import { utcOffsetSeconds } from './time-zone.ts';

export interface MockCity {
  id: number;
  name: string;
  /** ISO 3166-1, two letters. */
  country: string;
  lat: number;
  lon: number;
  /** An IANA name. */
  timezone: string;
}

/** Text first: an empty cell would otherwise be read as the number 0. */
const numberCell = z.string().trim().min(1, { error: 'expected a number' }).transform(Number);

const rowSchema = z.object({
  city_id: numberCell.pipe(z.int().positive()),
  name: z.string().min(1, { error: 'expected a name' }),
  country: z.string().regex(/^[A-Z]{2}$/, { error: 'expected two capital letters' }),
  lat: numberCell.pipe(z.number().min(-90).max(90)),
  lon: numberCell.pipe(z.number().min(-180).max(180)),
  timezone: z.string().refine(isTimezone, { error: 'expected an IANA time zone' }),
});

/**
 * The cities of a CSV with the columns `city_id, name, country, lat, lon, timezone`; further columns are the registry's own.
 * Throws the file system's error when it cannot be read, csv-parse's when it is no CSV, and an Error naming the line when a
 * value is wrong.
 */
export function loadCities(csvPath: string): MockCity[] {
  const rows: unknown[] = parse(readFileSync(csvPath, 'utf8'), {
    columns: true,
    bom: true,
    skip_empty_lines: true,
  });
  return rows.map((row, index) => {
    const parsed = rowSchema.safeParse(row, { reportInput: true });
    if (!parsed.success) {
      throw new Error(`Row ${index + 1} of ${csvPath} is wrong. ${describeIssue(parsed.error)}`);
    }
    const { city_id: id, ...city } = parsed.data;
    return { id, ...city };
  });
}

function isTimezone(name: string): boolean {
  try {
    utcOffsetSeconds(name, 0);
    return true;
  } catch {
    return false;
  }
}
