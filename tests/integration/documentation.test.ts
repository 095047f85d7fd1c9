import { execFile } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import pMap from 'p-map';
import { expect, test } from 'vitest';
import { projectRoot } from '../../config/load.ts';
import { alertSchema } from '../../schemas/alert.ts';
import { type DocumentedCommand, documentedCommands, pages } from '../support/documentation.ts';
import { type Effect, effects, type Facts, type Outcome } from '../support/documented-effects.ts';
import { stack } from '../support/shared-stack.ts';
import { temporaryDirectories } from '../support/temporary-directories.ts';

const HOUR_MS = 3_600_000;
const temporaryDirectory = temporaryDirectories();
const hourText = (at: number): string => new Date(at).toISOString().slice(0, 13);
const lastHour = Math.floor(Date.now() / HOUR_MS) * HOUR_MS - HOUR_MS;
const facts: Facts = { hour: hourText(lastHour), nextHour: hourText(lastHour + HOUR_MS) };

const commands = pages
  .flatMap(documentedCommands)
  // A transcript shows what a command says in one situation of many; the command itself is run once.
  .filter(({ command }, index, all) => all.findIndex((other) => other.command === command) === index);

const effectOf = (command: string): Effect | undefined =>
  effects.find(([pattern]) => pattern.test(command))?.[1];

/** A shell that finds `npx hourglass` without asking npm each time, and psql wherever it is not installed. */
function shellPath(): string {
  const directory = temporaryDirectory();
  const program = (name: string, text: string): void => {
    writeFileSync(join(directory, name), text);
    chmodSync(join(directory, name), 0o755);
  };
  program('npx', `#!/bin/sh\nshift\nexec "${process.execPath}" "${join(projectRoot, 'cli/bin.js')}" "$@"\n`);
  const behind = temporaryDirectory();
  copyFileSync(join(projectRoot, 'tests/support/psql.mjs'), join(behind, 'psql.mjs'));
  symlinkSync(join(projectRoot, 'node_modules'), join(behind, 'node_modules'));
  mkdirSync(join(behind, 'bin'));
  symlinkSync('../psql.mjs', join(behind, 'bin/psql'));
  chmodSync(join(behind, 'psql.mjs'), 0o755);
  return [directory, process.env['PATH'], join(behind, 'bin')].join(':');
}

const PATH = shellPath();

function run(command: string, environment: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  const { HOME = '', HOURGLASS_CACHE_DIR } = process.env;
  const env = {
    ...{ PATH, HOME, HOURGLASS_DATA_DIR: stack.dataDir },
    ...(HOURGLASS_CACHE_DIR === undefined ? {} : { HOURGLASS_CACHE_DIR }),
    ...environment,
  };
  return new Promise((resolve) => {
    execFile('bash', ['-c', command], { cwd: projectRoot, env, timeout: 60_000 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    ).stdin?.end();
  });
}

test('every command of the documentation has an effect that a test checks', () => {
  expect(commands.length).toBeGreaterThan(60);
  const unknown = commands.filter(({ command }) => effectOf(command) === undefined);
  expect(unknown, 'add what they bring about to tests/support/documented-effects.ts').toEqual([]);
});

test('what is not run here is run by the test that is named', () => {
  for (const [pattern, effect] of effects) {
    if (effect.kind !== 'elsewhere') continue;
    const file = join(projectRoot, effect.file);
    expect([effect.file, existsSync(file)]).toEqual([effect.file, true]);
    expect(readFileSync(file, 'utf8').includes(effect.words), `${effect.file}: ${pattern}`).toBe(true);
  }
});

test('the commands that are cheap do what the documentation says, taken from it as they stand', async () => {
  const cheap = commands.flatMap((documented) => {
    const effect = effectOf(documented.command);
    return effect?.kind === 'run' ? [{ ...documented, effect }] : [];
  });
  expect(cheap.length).toBeGreaterThan(25);
  const failed = await pMap(cheap, outcomeOf, { concurrency: 3 });
  expect(failed.filter((each) => each !== undefined)).toEqual([]);
});

async function outcomeOf({
  file,
  line,
  command,
  effect,
}: DocumentedCommand & { effect: Extract<Effect, { kind: 'run' }> }): Promise<object | undefined> {
  const adapted = effect.adapt?.(command, facts) ?? command;
  const outcome = await run(adapted);
  return hasEffect(effect, outcome) ? undefined : { place: `${file}:${line}`, command: adapted, ...outcome };
}

/** What cannot even be read has none. */
function hasEffect(effect: Extract<Effect, { kind: 'run' }>, outcome: Outcome): boolean {
  try {
    return effect.check(outcome, facts);
  } catch {
    return false;
  }
}

test('a check of an effect fails when the command does nothing', () => {
  const nothing: Outcome = { code: 0, stdout: '', stderr: '' };
  const checks = effects.flatMap(([pattern, effect]) => (effect.kind === 'run' ? [{ pattern, effect }] : []));
  const lenient = checks.filter(({ effect }) => hasEffect(effect, nothing));
  // A log may have no line yet.
  expect(lenient.map(({ pattern }) => String(pattern))).toEqual(['/^npx hourglass logs worker/']);
});

test('the notice that docs/alerts.md sends to a receiver is one that the receiver would get', async () => {
  const documented = commands.find(({ command }) => command.includes('http://127.0.0.1:8099/'));
  let body = '';
  const receiver = createServer((request, response) => {
    request.on('data', (chunk) => {
      body += String(chunk);
    });
    request.on('end', () => response.end());
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  const { port } = receiver.address() as AddressInfo;
  const { code } = await run(documented?.command.replace(':8099', `:${port}`) ?? 'false');
  receiver.close();
  expect(code).toBe(0);
  expect(alertSchema.safeParse(JSON.parse(body)).success).toBe(true);
});
