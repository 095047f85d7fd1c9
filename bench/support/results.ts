/** Writes `bench/results.md`: each bench replaces its own section and leaves the others as they are. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../config/load.ts';

const FILE = join(projectRoot, 'bench/results.md');
const HEAD = `# Results

Written by the benches themselves (\`npm run bench:throughput\`, \`npm run bench:settings\`, \`npm run bench:backfill\`). Figures
move from machine to machine and from run to run: compare only what stands in the same section.
`;

export function writeSection(title: string, body: string): void {
  const before = existsSync(FILE) ? readFileSync(FILE, 'utf8') : HEAD;
  writeFileSync(FILE, withSection(before, title, body));
  console.log(`\n## ${title}\n\n${body}\n\nwritten to bench/results.md`);
}

/** The text with this section's body; a section that is new comes last. */
export function withSection(text: string, title: string, body: string): string {
  const [head = '', ...sections] = text.split(/^(?=## )/m);
  const section = `## ${title}\n\n${body.trim()}\n`;
  const place = sections.findIndex((each) => each.startsWith(`## ${title}\n`));
  if (place < 0) sections.push(section);
  else sections[place] = section;
  return [head, ...sections]
    .map((each) => each.trimEnd())
    .join('\n\n')
    .concat('\n');
}

/** A Markdown table; numbers are aligned to the right. */
export function markdownTable(
  columns: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string {
  const isNumber = columns.map((_, index) =>
    rows.every((row) => /^[\d –,.−×]*$/.test(String(row[index] ?? ''))),
  );
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
  return [line(columns), line(isNumber.map((right) => (right ? '--:' : '---'))), ...rows.map(line)].join(
    '\n',
  );
}

export const thousands = (value: number): string => Math.round(value).toLocaleString('en-GB');
export const seconds = (value: number): string => value.toFixed(1);

/** Of an even number of values the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.slice(Math.ceil(sorted.length / 2) - 1, Math.floor(sorted.length / 2) + 1);
  return middle.reduce((sum, value) => sum + value, 0) / middle.length;
}
