/** A database in memory for activities: remembers what it was asked, and holds every query to its file's parameters. */
import { expect } from 'vitest';
import type { Database } from '../../clients/postgres.ts';
import { readQuery } from '../../clients/sql-files.ts';

export interface AskedQuery {
  readonly name: string;
  readonly parameters: readonly unknown[];
}

export interface FakeDatabase extends Database {
  readonly asked: AskedQuery[];
  /** The parameters of each time the query was asked. */
  askedFor(name: string): (readonly unknown[])[];
}

type Rows = readonly object[];

/** @param rows what a query returns, or how that follows from its parameters; none unless told */
export function fakeDatabase(
  rows: Readonly<Record<string, Rows | ((parameters: readonly unknown[]) => Rows)>> = {},
): FakeDatabase {
  const asked: AskedQuery[] = [];
  const query = async <Row extends object>(name: string, parameters: readonly unknown[] = []) => {
    const numbers = [...readQuery(name).matchAll(/\$(\d+)/g)].map(([, number]) => Number(number));
    expect([name, parameters.length]).toEqual([name, Math.max(0, ...numbers)]);
    expect([name, parameters.filter((parameter) => parameter === undefined)]).toEqual([name, []]);
    asked.push({ name, parameters });
    const answer = rows[name] ?? [];
    return (typeof answer === 'function' ? answer(parameters) : answer) as readonly Row[];
  };
  return {
    asked,
    askedFor: (name) => asked.filter((one) => one.name === name).map(({ parameters }) => parameters),
    query,
    transaction: (work) => work({ query }),
    close: async () => undefined,
  };
}
