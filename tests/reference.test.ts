import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createProgram } from '../cli/program.ts';
import { variableNames } from '../config/environment.ts';
import { projectRoot } from '../config/load.ts';
import {
  commandReference,
  configurationReference,
  errorCodesInSources,
  firstColumn,
  leafCommands,
  withGenerated,
} from './support/reference.ts';

const page = (name: string): string => readFileSync(join(projectRoot, name), 'utf8');
const REMEDY = '`npm run docs:reference` writes the page';

describe('docs/cli.md', () => {
  test('holds every command with its arguments and options, as commander has them', async () => {
    const text = page('docs/cli.md');
    expect(text, REMEDY).toBe(withGenerated(text, commandReference(await createProgram())));
  });

  test('an option more would be noticed', async () => {
    const program = await createProgram();
    const text = page('docs/cli.md');
    leafCommands(program)[0]?.command.option('--new', 'that nobody has written down');
    expect(withGenerated(text, commandReference(program))).not.toBe(text);
  });
});

describe('docs/configuration.md', () => {
  test('holds every variable that a user may set, as the schema has it', () => {
    const text = page('docs/configuration.md');
    expect(text, REMEDY).toBe(withGenerated(text, configurationReference()));
    const held = firstColumn(text).filter((name) => /^[A-Z_]+$/.test(name));
    expect(held.slice().sort()).toEqual(variableNames.slice().sort());
  });
});

describe('docs/errors.md', () => {
  test('holds every code that an error is made with, each once, and no other', () => {
    const codes = errorCodesInSources();
    expect(codes.length).toBeGreaterThan(80);
    expect(firstColumn(page('docs/errors.md')).slice().sort()).toEqual(codes);
  });
});

describe('the commands', () => {
  test('all but those that stay in the foreground print JSON, and every option says what it does', async () => {
    const leaves = leafCommands(await createProgram());
    expect(leaves.length).toBeGreaterThan(40);
    for (const { path, command } of leaves) {
      const longs = command.options.map(({ long }) => long);
      const isForeground = ['hourglass start', 'hourglass mock', 'hourglass workers run'].includes(path);
      expect([path, longs.includes('--json')]).toEqual([path, !isForeground]);
      expect([path, command.description()]).toEqual([path, expect.stringMatching(/^[A-Z].{9}/)]);
      for (const { flags, description } of command.options)
        expect([path, flags, description]).not.toContain('');
    }
  });

  test('one meaning has one name everywhere: what is listed, shown, limited, followed and waited for', async () => {
    const leaves = leafCommands(await createProgram());
    const flagsOf = (long: string) =>
      new Set(
        leaves
          .flatMap(({ command }) => command.options.filter((option) => option.long === long))
          .map(({ flags }) => flags.replace(/^-\w, /, '')),
      );
    expect([...flagsOf('--limit')]).toEqual(['--limit <number>']);
    expect([...flagsOf('--timeout')]).toEqual(['--timeout <seconds>']);
    expect([...flagsOf('--city')]).toEqual(['--city <name or id>']);
    expect([...flagsOf('--yes')]).toEqual(['--yes']);
    expect([...flagsOf('--wait')]).toEqual(['--wait']);
  });
});
