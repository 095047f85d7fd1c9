import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryDirectories } from '../tests/support/temporary-directories.ts';
import { describeVariable, environmentSchema, variableNames } from './environment.ts';
import { loadConfig, projectRoot } from './load.ts';

const temporaryDirectory = temporaryDirectories();

interface Entry {
  readonly comment: string;
  readonly commentedOut: boolean;
  readonly value: string;
}

const text = readFileSync(join(projectRoot, 'example.env'), 'utf8');
const ASSIGNMENT = /^(# )?([A-Z][A-Z0-9_]*)=(.*)$/;

/** Paragraph by paragraph: comment lines, then one assignment. Paragraphs of comments alone are headings. */
function readEntries(): Map<string, Entry> {
  const entries = new Map<string, Entry>();
  for (const paragraph of text.trim().split(/\n\n+/)) {
    const lines = paragraph.split('\n');
    const assignment = ASSIGNMENT.exec(lines.at(-1) ?? '');
    if (assignment === null) continue;
    const [, mark, name = '', value = ''] = assignment;
    const comment = lines.slice(0, -1).map((line) => line.replace(/^# /, ''));
    entries.set(name, { comment: comment.join(' '), commentedOut: mark !== undefined, value });
  }
  return entries;
}

const entries = readEntries();

describe('example.env', () => {
  test('it holds every variable that a user may set, each once, and nothing else', () => {
    const assigned = text.split('\n').flatMap((line) => ASSIGNMENT.exec(line)?.[2] ?? []);
    expect([...assigned].sort()).toEqual([...variableNames].sort());
  });

  test.each(variableNames)('%s stands there as the schema describes it', (name) => {
    const fallback = environmentSchema.parse({})[name];
    expect(entries.get(name)).toEqual({
      comment: describeVariable(name).about,
      commentedOut: name !== 'WEATHER_SOURCE',
      value: fallback === undefined ? describeVariable(name).example : String(fallback),
    });
  });

  test('copied as it is, it changes no value of the defaults', () => {
    const home = temporaryDirectory();
    const environment = { HOURGLASS_DATA_DIR: home };
    const { values } = loadConfig({ environment, envFile: join(projectRoot, 'example.env') });
    expect(values).toEqual(loadConfig({ environment, envFile: join(home, 'none') }).values);
  });

  test('with every line in force it is still a valid configuration', () => {
    const home = temporaryDirectory();
    const envFile = join(home, '.env');
    writeFileSync(envFile, text.replace(/^# (?=[A-Z][A-Z0-9_]*=)/gm, ''));
    const { origins } = loadConfig({ environment: { HOURGLASS_DATA_DIR: home }, envFile });
    for (const name of variableNames.filter((each) => each !== 'HOURGLASS_DATA_DIR'))
      expect([name, origins[name]]).toEqual([name, '.env']);
  });
});

describe('the schema of the environment', () => {
  test.each(variableNames)('%s has an example that is valid, and a sentence about it', (name) => {
    const { about, example } = describeVariable(name);
    expect(environmentSchema.shape[name].safeParse(example).success).toBe(true);
    expect(about).toMatch(/^[A-Z].*\.$/);
  });

  test('whatever is named key, password or webhook is a secret', () => {
    for (const name of variableNames)
      expect([name, describeVariable(name).secret ?? false]).toEqual([
        name,
        /KEY|PASSWORD|WEBHOOK/.test(name),
      ]);
  });
});
