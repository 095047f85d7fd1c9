/** The saved queries of `sql/queries/examples`, with what each says it shows. */
import { exampleNames, readExample } from '../../clients/sql-files.ts';
import { renderTable } from '../table.ts';
import type { OutputFormat } from './output.ts';

interface SavedQuery {
  readonly name: string;
  readonly about: string;
}

/** Each begins with a comment that says what it shows. */
const savedQueries = (): readonly SavedQuery[] =>
  exampleNames().map((name) => ({
    name,
    about: (readExample(name).split('\n')[0] ?? '').replace(/^-- /, ''),
  }));

export function savedQueriesText(format: OutputFormat, columns?: number): string {
  const saved = savedQueries();
  if (format === 'json') return JSON.stringify(saved, undefined, 2);
  const head = ['Saved query', 'What it shows'];
  const rows = saved.map(({ name, about }) => [name, about]);
  if (format === 'csv')
    return ['name,about', ...rows.map(([name, about]) => `${name},"${about}"`)].join('\n');
  // What it shows is the point of the list, however narrow the terminal is.
  const isNarrow =
    columns !== undefined &&
    renderTable(head, rows, Number.POSITIVE_INFINITY)
      .split('\n')
      .some((line) => line.length > columns);
  const list = isNarrow
    ? saved.map(({ name, about }) => `${name}\n    ${about}`).join('\n')
    : renderTable(head, rows, Number.POSITIVE_INFINITY);
  return `${list}\n\n\`npx hourglass sql --saved ${saved[0]?.name ?? '<name>'}\` asks one of them.`;
}
