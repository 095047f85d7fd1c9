/**
 * Reads a guide as somebody who follows it: the files that it shows, each under the line that names its path, the commands, and the
 * questions to the database. Makes a copy of the project for what it changes.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { projectRoot } from '../../config/load.ts';

export interface Guide {
  /** By path, relative to the project. */
  readonly files: ReadonlyMap<string, string>;
  /** What is typed at the terminal, in order. */
  readonly commands: readonly string[];
  readonly questions: readonly string[];
}

const BLOCK = /(?:^`(?<path>[^`\n]+)`:\n\n)?^```(?<language>\w+)\n(?<text>[\s\S]*?)^```$/gm;

/** @param name the guide's file in docs/ */
export function readGuide(name: string): Guide {
  const files = new Map<string, string>();
  const commands: string[] = [];
  const questions: string[] = [];
  for (const { groups = {} } of readFileSync(join(projectRoot, 'docs', name), 'utf8').matchAll(BLOCK)) {
    const { path, language, text = '' } = groups;
    if (path !== undefined) files.set(path, text);
    else if (language === 'sh') commands.push(...text.trim().split('\n'));
    else if (language === 'sql') questions.push(text);
  }
  return { files, commands, questions };
}

/** All that the project consists of; packages are those that are installed. */
export function copyProject(directory: string): void {
  copyFiles(directory);
  symlinkSync(join(projectRoot, 'node_modules'), join(directory, 'node_modules'));
}

/** What a fresh clone has. */
export function copyFiles(directory: string): void {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: projectRoot,
    encoding: 'utf8',
  });
  for (const file of listed.trim().split('\n')) {
    mkdirSync(dirname(join(directory, file)), { recursive: true });
    cpSync(join(projectRoot, file), join(directory, file));
  }
}

export function writeFiles(directory: string, files: Guide['files']): void {
  for (const [path, text] of files) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  }
}
