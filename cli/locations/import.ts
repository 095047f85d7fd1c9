/** `hourglass locations import`: registers the locations of a CSV file, all of them or none. */
import { readFileSync } from 'node:fs';
import { loadConfig } from '../../config/load.ts';
import { HourglassError, reasonOf } from '../../domain/errors.ts';
import { withDatabase } from '../with-database.ts';
import { readLocationsCsv } from './csv.ts';
import { registerLocations } from './register.ts';
import { registrationText } from './words.ts';

/** Thrown when the file cannot be read. */
class UnreadableFileError extends HourglassError {
  constructor(file: string, cause: unknown) {
    super('UNREADABLE_FILE', `The file ${file} cannot be read: ${reasonOf(cause)}.`, { cause });
  }
}

const STDIN = 0;

export async function importLocations(
  file: string,
  { dryRun = false, json }: { dryRun?: boolean; json?: boolean },
): Promise<void> {
  const { rows, mistakes } = readLocationsCsv(textOf(file));
  const { outcome, plan } = await withDatabase((database) =>
    registerLocations(database, loadConfig(), {
      rows: rows.map((row) => ({ ...row, place: (column) => `line ${row.line}, ${column}` })),
      mistakes,
      now: new Date(),
      dryRun,
    }),
  );
  const { new: added, changed, unchanged, ...counts } = outcome;
  const numbers = { new: added.length, changed: changed.length, unchanged: unchanged.length, ...counts };
  if (json) console.log(JSON.stringify({ dryRun, ...numbers, plan }, undefined, 2));
  else console.log(`${registrationText(outcome, dryRun)}\n${plan.explanation}`);
}

function textOf(file: string): string {
  try {
    return readFileSync(file === '-' ? STDIN : file, 'utf8');
  } catch (error) {
    throw new UnreadableFileError(file === '-' ? 'of the standard input' : file, error);
  }
}
