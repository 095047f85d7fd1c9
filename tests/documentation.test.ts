import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { createProgram } from '../cli/program.ts';
import { projectRoot } from '../config/load.ts';
import {
  anchorsOf,
  blocksOf,
  documentedCommands,
  pages,
  relativeLinks,
  shellCommands,
  wordsOf,
} from './support/documentation.ts';

const commands = pages.flatMap(documentedCommands);

describe('the links', () => {
  test('lead to files of the project, and to headings that these have', () => {
    const links = pages.flatMap(relativeLinks);
    expect(links.length).toBeGreaterThan(100);
    const broken = links.filter(({ file, target }) => {
      const [path = '', anchor] = target.split('#');
      const aim = path === '' ? file : normalize(join(dirname(file), path));
      if (!existsSync(join(projectRoot, aim))) return true;
      const page = pages.find((each) => each.file === aim);
      return anchor !== undefined && page !== undefined && !anchorsOf(page).has(anchor);
    });
    expect(broken).toEqual([]);
  });

  test('a link to a heading that is not there would be noticed', () => {
    const page = {
      file: 'a.md',
      text: '# One\n\n## Two words, `code`\n\n```sh\n# no heading\n```\n## One\n',
    };
    expect([...anchorsOf(page)]).toEqual(['one', 'two-words-code', 'one-1']);
  });
});

describe('the commands', () => {
  test('are read as a shell would read them', () => {
    expect(shellCommands('one  # two\n# three\nfour \\\n  five\n\nsix "#" \'a\nb\'  # c\n')).toEqual([
      'one',
      'four five',
      'six "#" \'a\nb\'',
    ]);
    expect(wordsOf(`npx hourglass sql "select 1 > 0" --csv > file`)).toEqual([
      ...['npx', 'hourglass', 'sql', 'select 1 > 0', '--csv'],
    ]);
  });

  test('of hourglass are ones that it has, with options that they have', async () => {
    const ours = commands
      .map(({ file, line, command }) => ({ place: `${file}:${line}`, words: wordsOf(command) }))
      .filter(({ words }) => words[0] === 'npx' && words[1] === 'hourglass');
    expect(ours.length).toBeGreaterThan(50);
    const wrong: string[] = [];
    for (const { place, words } of ours) {
      // Words in capitals and … stand for what the reader puts in.
      const given = words
        .slice(2)
        .filter((word) => !/^[[…]/.test(word))
        // The guide's own pipeline is registered by who follows it.
        .map((word) => (word === 'machine-load' ? 'weather' : word));
      const program = harmless(await createProgram());
      await program.parseAsync([...given], { from: 'user' }).catch((error: Error) => {
        wrong.push(`${place}: ${words.join(' ')}: ${error.message}`);
      });
    }
    expect(wrong).toEqual([]);
  });

  test('of npm are scripts of the package, and files that are named exist', () => {
    const { scripts } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'));
    const lines = commands.flatMap(({ command }) => command.split(' && '));
    const named = lines.flatMap((line) => /^npm (?:run )?([\w:]+)/.exec(line)?.[1] ?? []);
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((name) => !(name in scripts) && name !== 'ci')).toEqual([]);
    const files = lines.flatMap((line) =>
      /^npx vitest/.test(line) ? (/\S+\.test\.ts/.exec(line) ?? []) : [],
    );
    for (const file of files) expect([file, existsSync(join(projectRoot, file))]).toEqual([file, true]);
  });

  test('are left out only where the block says what it needs', () => {
    for (const page of pages) expect(() => blocksOf(page)).not.toThrow();
    const page = { file: 'a.md', text: '<!-- needs docker -->\n\n```sh\ndocker ps\n```\n\n```sh\nls\n```\n' };
    expect(documentedCommands(page).map(({ command }) => command)).toEqual(['ls']);
    expect(() => blocksOf({ ...page, text: '<!-- needs luck -->\n```sh\nls\n```\n' })).toThrow(
      'needs "luck"',
    );
  });
});

/** The same command line, which does nothing. */
function harmless(command: Command): Command {
  command.configureOutput({ writeErr: () => undefined, writeOut: () => undefined });
  if (command.commands.length === 0) command.action(() => undefined);
  for (const child of command.commands) harmless(child);
  return command;
}
