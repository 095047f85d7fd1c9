/** A gzipped file of current-weather records for a backfill, what its tables must hold afterwards, and the cities of it in the registry. */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { MockWeather } from '../../mock/weather.ts';
import { inputBatches } from './records.ts';
import { readBenchSql } from './sql.ts';
import type { Totals } from './totals.ts';
import type { WholeStack } from './whole-stack.ts';

const HOUR_SECONDS = 3_600;
const DAY_SECONDS = 24 * HOUR_SECONDS;

export interface RecordFile {
  readonly path: string;
  /** The hours that hold all of it, in ISO 8601. */
  readonly from: string;
  readonly to: string;
  readonly totals: Totals;
}

/** Writes a file whose newest record is so many days old, and registers its cities. */
export async function writeRecordFile(
  stack: WholeStack,
  { records, daysAgo }: { readonly records: number; readonly daysAgo: number },
): Promise<RecordFile> {
  const path = join(stack.dataDir, `bench-${daysAgo}-days-ago.ndjson.gz`);
  const endSeconds = Math.floor(Date.now() / 1_000) - daysAgo * DAY_SECONDS;
  const hours = new Set<string>();
  let temperatures = 0;
  let firstSeconds = endSeconds;
  const packed = createGzip({ level: 1 });
  const written = pipeline(packed, createWriteStream(path));
  for (const batch of inputBatches({ records, endSeconds })) {
    for (const { id, dt, main } of batch) {
      hours.add(`${id}/${Math.floor(dt / HOUR_SECONDS)}`);
      temperatures += main.temp;
      firstSeconds = Math.min(firstSeconds, dt);
    }
    if (!packed.write(linesOf(batch))) await once(packed, 'drain');
  }
  packed.end();
  await written;
  const file = {
    path,
    from: isoOf(Math.floor(firstSeconds / HOUR_SECONDS) * HOUR_SECONDS),
    to: isoOf((Math.floor(endSeconds / HOUR_SECONDS) + 1) * HOUR_SECONDS),
    totals: { observations: records, hours: hours.size, counted: records, temperatures },
  };
  await register(stack, { records, endSeconds }, file.to);
  return file;
}

const linesOf = (batch: readonly MockWeather[]): string =>
  batch.map((document) => `${JSON.stringify(document)}\n`).join('');
const isoOf = (seconds: number): string => new Date(seconds * 1_000).toISOString();

/** Until the end of the file and not after it: ingestion would ask the mock for cities that it does not know. */
async function register(
  { sql }: WholeStack,
  question: { readonly records: number; readonly endSeconds: number },
  activeTo: string,
): Promise<void> {
  const cities = new Map<number, MockWeather>();
  for (const batch of inputBatches(question)) {
    const known = cities.size;
    for (const document of batch) cities.set(document.id, document);
    // The first records are one of each city.
    if (cities.size === known) break;
  }
  await sql.query(readBenchSql('register-cities'), [JSON.stringify([...cities.values()]), activeTo]);
}
