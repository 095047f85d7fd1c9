/** Reads the benches' own SQL from `bench/sql`. */
import { readFileSync } from 'node:fs';

export const readBenchSql = (name: string): string =>
  readFileSync(new URL(`../sql/${name}.sql`, import.meta.url), 'utf8');
