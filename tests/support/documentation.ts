/** Reads the project's Markdown: its links and headings, and the commands of its fenced blocks as a shell would take them. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../config/load.ts';

export interface Page {
  /** Relative to the project. */
  readonly file: string;
  readonly text: string;
}

export const pages: readonly Page[] = execFileSync(
  'git',
  ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'],
  { cwd: projectRoot, encoding: 'utf8' },
)
  .trim()
  .split('\n')
  .map((file) => ({ file, text: readFileSync(join(projectRoot, file), 'utf8') }));

interface Block {
  readonly language: string;
  readonly text: string;
  readonly line: number;
  /** What the comment before it says that it needs: `docker`, `another system`, `a real key`. */
  readonly needs: string | undefined;
}

const NEEDS = ['docker', 'another system', 'a real key'];

/** Fenced blocks with the place of each. @throws Error for a comment that names another need */
export function blocksOf({ file, text }: Page): readonly Block[] {
  return [...text.matchAll(/(?:^<!-- needs (.+?) -->\n+)?^```(\w*)\n([\s\S]*?)^```$/gm)].map((match) => {
    const [, needs, language = '', inside = ''] = match;
    const line = text.slice(0, match.index).split('\n').length;
    if (needs !== undefined && !NEEDS.includes(needs))
      throw new Error(`${file}:${line} needs "${needs}"; a block may need ${NEEDS.join(', ')}`);
    return { language, text: inside, line, needs };
  });
}

export interface DocumentedCommand {
  readonly file: string;
  readonly line: number;
  /** On one line, unless a text in quotes has several. Comments are gone. */
  readonly command: string;
}

const SHELL = ['sh', 'bash', 'console'];

/** Every command of the blocks that can be run here. A block that is a script of its own, with functions or here-documents, is one. */
export function documentedCommands(page: Page): readonly DocumentedCommand[] {
  return blocksOf(page)
    .filter(({ language, needs }) => SHELL.includes(language) && needs === undefined)
    .flatMap(({ language, text, line }) => {
      const commands =
        language === 'console' ? promptedCommands(text) : isScript(text) ? [text] : shellCommands(text);
      return commands.map((command) => ({ file: page.file, line, command }));
    });
}

const isScript = (text: string): boolean => /<<|^set -/m.test(text);

/** Of a transcript: what stands behind the prompt. */
const promptedCommands = (text: string): readonly string[] =>
  text.split('\n').flatMap((line) => (line.startsWith('$ ') ? [line.slice(2)] : []));

/** A command goes on where its line ends with a backslash, or within quotes. */
export function shellCommands(text: string): readonly string[] {
  const commands: string[] = [];
  let open = '';
  for (const line of text.split('\n')) {
    const joined = open === '' ? line : `${open}\n${line}`;
    const command = withoutComment(joined);
    if (command.isOpen) open = joined;
    else {
      open = '';
      const whole = command.text.replace(/\\\n\s*/g, '').trim();
      if (whole !== '') commands.push(whole);
    }
  }
  return commands;
}

function withoutComment(line: string): { readonly text: string; readonly isOpen: boolean } {
  let quote: string | undefined;
  for (let at = 0; at < line.length; at += 1) {
    const character = line[at] ?? '';
    if (quote === undefined && character === '#' && /\s|^$/.test(line[at - 1] ?? ''))
      return { text: line.slice(0, at), isOpen: false };
    if (quote === undefined && (character === "'" || character === '"')) quote = character;
    else if (character === quote) quote = undefined;
  }
  return { text: line, isOpen: quote !== undefined || line.endsWith('\\') };
}

/** The words of a simple command, quotes taken off; what stands behind a pipe, a redirection or `&&` is not part of it. */
export function wordsOf(command: string): readonly string[] {
  const words: string[] = [];
  for (const [word] of command.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g)) {
    if (/^(\||>|&&|;)/.test(word)) break;
    words.push(
      word.replace(/'([^']*)'|"([^"]*)"/g, (_, single?: string, double?: string) => single ?? double ?? ''),
    );
  }
  return words;
}

export interface Link {
  readonly file: string;
  readonly line: number;
  readonly target: string;
}

/** Every link that is no address of the internet. */
export const relativeLinks = (page: Page): readonly Link[] =>
  [...withoutBlocks(page.text).matchAll(/\[[^\]]*\]\(([^)\s]+)\)/g)]
    .map((match) => ({
      file: page.file,
      line: page.text.slice(0, match.index).split('\n').length,
      target: match[1] ?? '',
    }))
    .filter(({ target }) => !/^[a-z]+:/.test(target));

/** Code is no text; its place is kept, so that lines can be counted. */
const withoutBlocks = (text: string): string =>
  text
    .replace(/^```[\s\S]*?^```$/gm, (block) => block.replace(/[^\n]/g, ' '))
    .replace(/`[^`\n]*`/g, (code) => (code.includes('](') ? ' '.repeat(code.length) : code));

/** The anchors of a page's headings, as GitHub makes them. */
export function anchorsOf({ text }: Page): ReadonlySet<string> {
  const seen = new Map<string, number>();
  const anchors = [...withoutBlocks(text).matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = '']) => {
    const slug = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replace(/\s/g, '-');
    const before = seen.get(slug) ?? 0;
    seen.set(slug, before + 1);
    return before === 0 ? slug : `${slug}-${before}`;
  });
  return new Set(anchors);
}
