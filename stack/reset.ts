/** Takes a data directory back to nothing: what would be deleted, and deleting it. The cache and `.env` are not its matter. */
import { existsSync, lstatSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SOURCES } from '../config/environment.ts';
import { HourglassError } from '../domain/errors.ts';
import { readState, recordedProcesses, sourceFile } from './data-dir.ts';
import { postgresElsewhere } from './postgres.ts';
import { isAlive } from './process-identity.ts';

/** Thrown while something runs on the data directory. Nothing was deleted. */
export class ResetRefusedError extends HourglassError {
  constructor(why: string) {
    super('RESET_REFUSED', `Nothing was deleted: ${why}`);
  }
}

export interface Deletable {
  readonly path: string;
  readonly what: string;
  readonly bytes: number;
}

/** What is there for a moment only, a kill in that moment leaves. */
const MADE_BY_POSTGRES: Readonly<Record<string, string>> = {
  postgres: 'the database: every observation, hour, verdict and record of jobs',
  'postgres.partial': 'a database that was interrupted in the making',
  'postgres.password': "a password for the database's making",
};

/** All that a stack makes in its data directory. What else lies there is somebody's own and stays. */
const MADE: Readonly<Record<string, string>> = {
  ...MADE_BY_POSTGRES,
  kafka: 'the topics and the records in them',
  flink: 'checkpoints and savepoints, the state of the Flink jobs',
  temporal: "Temporal's histories and schedules",
  builds: 'builds of the worker',
  logs: 'logs',
  'secrets.env': 'passwords that the stack made',
  'addresses.env': 'addresses of the last run',
  'internal-ports.json': 'ports of the last run',
  'progress.ndjson': 'the record of the last start',
  'prometheus-targets.json': 'where the metrics of the last run were',
  'state.json': 'what ran last',
  'prometheus-targets.json.new': 'half of such a file',
  'state.json.new': 'half of such a file',
  'supervisor.lock': 'the lock of the last run',
  // The last: by it a reset that was interrupted knows the directory again.
  source: 'which source it belongs to',
};

function isTaken(dataDir: string): boolean {
  const marker = sourceFile(dataDir);
  const holds = existsSync(marker) ? readFileSync(marker, 'utf8').trim() : '';
  return SOURCES.some((source) => source === holds);
}

/** @throws ResetRefusedError while the stack, or what a killed one left, still runs */
export async function requireNothingRuns(dataDir: string): Promise<void> {
  const state = readState(dataDir);
  if (state === undefined) return;
  if (await isAlive(state.supervisor))
    throw new ResetRefusedError(
      `a stack runs on ${dataDir} (process ${state.supervisor.pid}). Stop it with \`npx hourglass down\`.`,
    );
  const alive = await Promise.all(recordedProcesses(state).map(isAlive));
  if (alive.some(Boolean))
    throw new ResetRefusedError(
      `services of a stack that was killed still run on ${dataDir}. \`npx hourglass down\` ends them.`,
    );
}

/** Nothing of a directory that no stack has taken: it may be anybody's, with a `logs` of its own. */
export function deletables(dataDir: string): readonly Deletable[] {
  if (!isTaken(dataDir)) return [];
  const elsewhere = dirname(postgresElsewhere(dataDir));
  return [
    ...Object.entries(MADE_BY_POSTGRES).map(([name, what]) => ({ path: join(elsewhere, name), what })),
    ...Object.entries(MADE).map(([name, what]) => ({ path: join(dataDir, name), what })),
  ]
    .filter(({ path }) => existsSync(path))
    .map((each) => ({ ...each, bytes: sizeOf(each.path) }));
}

/** @returns what is left in the data directory because no stack made it */
export function deleteAll(dataDir: string, chosen: readonly Deletable[]): readonly string[] {
  for (const { path } of chosen) rmSync(path, { recursive: true, force: true });
  removeIfEmpty(dirname(postgresElsewhere(dataDir)));
  const left = existsSync(dataDir) ? readdirSync(dataDir) : [];
  if (left.length === 0) removeIfEmpty(dataDir);
  return left;
}

function removeIfEmpty(directory: string): void {
  if (existsSync(directory) && readdirSync(directory).length === 0) rmdirSync(directory);
}

/** Without following links: what they lead to is not deleted either. */
function sizeOf(path: string): number {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return 0;
  if (!found.isDirectory()) return found.size;
  return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
}
