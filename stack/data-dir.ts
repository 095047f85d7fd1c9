/** The data directory: one supervisor at a time, one source for ever, its passwords, and what runs on it now. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { stackFiles } from '../config/load.ts';
import type { InternalPorts, StackSecrets } from './context.ts';
import { AlreadyRunningError, MissingPasswordError, SourceMismatchError } from './errors.ts';
import { identify, isAlive, type ProcessIdentity, terminate } from './process-identity.ts';
import type { ServiceStatus } from './supervisor.ts';

/** `ready` means that rows can flow. A state whose supervisor is gone is what a kill left. */
export interface StackState {
  readonly supervisor: ProcessIdentity;
  readonly phase: 'starting' | 'ready' | 'stopping';
  readonly source: string;
  readonly startedAt: string;
  readonly urls: Readonly<Record<string, string>>;
  readonly services: readonly ServiceStatus[];
}

const files = {
  state: 'state.json',
  source: 'source',
  internalPorts: 'internal-ports.json',
  lock: 'supervisor.lock',
} as const;

/** Says which source the directory belongs to. */
export const sourceFile = (dataDir: string): string => join(dataDir, files.source);

export const progressFile = (dataDir: string): string => join(dataDir, 'progress.ndjson');

/** What the directory's state file says, or undefined when no stack was ever started or it was stopped in order. */
export function readState(dataDir: string): StackState | undefined {
  const file = join(dataDir, files.state);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as StackState) : undefined;
}

/** The processes that a state names; one that is being started again has none at the moment. */
export const recordedProcesses = ({ services }: StackState): readonly ProcessIdentity[] =>
  services.flatMap(({ process: identity }) => (identity === undefined ? [] : [identity]));

export function writeState(dataDir: string, state: StackState): void {
  const file = join(dataDir, files.state);
  // A reader must never see half a state.
  writeFileSync(`${file}.new`, JSON.stringify(state, undefined, 2));
  renameSync(`${file}.new`, file);
}

export function removeState(dataDir: string): void {
  for (const name of [files.state, files.lock, stackFiles.addresses])
    rmSync(join(dataDir, name), { force: true });
}

/**
 * Takes the directory for this process.
 * @returns the processes that a killed supervisor left running
 * @throws AlreadyRunningError, SourceMismatchError
 */
export async function takeDataDir(dataDir: string, source: string): Promise<readonly ProcessIdentity[]> {
  mkdirSync(join(dataDir, 'logs'), { recursive: true });
  const before = readState(dataDir);
  if (before !== undefined && before.supervisor.pid !== process.pid && (await isAlive(before.supervisor))) {
    throw new AlreadyRunningError(before.supervisor.pid, dataDir);
  }
  await takeLock(dataDir);
  const marker = sourceFile(dataDir);
  const holds = existsSync(marker) ? readFileSync(marker, 'utf8').trim() : undefined;
  if (holds !== undefined && holds !== source)
    throw new SourceMismatchError(`The data directory ${dataDir}`, holds, source);
  writeFileSync(marker, `${source}\n`);
  const recorded = before === undefined ? [] : recordedProcesses(before);
  const alive = await Promise.all(recorded.map(isAlive));
  return recorded.filter((_, index) => alive[index]);
}

/** Of two starts at the same moment one makes the file; what a dead process holds is taken over. */
async function takeLock(dataDir: string): Promise<void> {
  const lock = join(dataDir, files.lock);
  const own = await ownIdentity();
  for (;;) {
    try {
      writeFileSync(lock, JSON.stringify(own), { flag: 'wx' });
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      const holder = JSON.parse(readFileSync(lock, 'utf8')) as ProcessIdentity;
      if (holder.pid !== own.pid && (await isAlive(holder)))
        throw new AlreadyRunningError(holder.pid, dataDir);
      rmSync(lock, { force: true });
    }
  }
}

/** Leftovers hold ports, locks and data files; they are ended in the order opposite to that of their start. */
export async function endLeftovers(leftovers: readonly ProcessIdentity[]): Promise<void> {
  for (const identity of [...leftovers].reverse()) await terminate(identity, 15_000);
}

export async function ownIdentity(): Promise<ProcessIdentity> {
  return (await identify(process.pid)) ?? { pid: process.pid, startedAt: 'unknown' };
}

const SECRETS = [
  'POSTGRES_SUPERUSER_PASSWORD',
  'POSTGRES_PASSWORD',
  'POSTGRES_PIPELINE_PASSWORD',
  'POSTGRES_READER_PASSWORD',
] as const satisfies readonly (keyof StackSecrets)[];

/** The stack's passwords: the user's where they are set, else made once and kept in a file only its owner can read. */
export function ensureSecrets(dataDir: string, given: Partial<StackSecrets>): StackSecrets {
  const kept = keptSecrets(dataDir);
  return keepSecrets(dataDir, (name) => given[name] ?? kept[name] ?? randomBytes(18).toString('base64url'));
}

/**
 * Of a PostgreSQL that somebody else runs: there a password is known or it is not, and one that is made up opens nothing.
 * @param needed those that this stack itself needs; others are empty when nobody has set them
 * @throws MissingPasswordError
 */
export function expectSecrets(
  dataDir: string,
  given: Partial<StackSecrets>,
  needed: readonly (keyof StackSecrets)[],
): StackSecrets {
  const kept = keptSecrets(dataDir);
  const missing = needed.filter((name) => (given[name] ?? kept[name] ?? '') === '');
  if (missing.length > 0)
    throw new MissingPasswordError(missing, 'nothing can be stored in the PostgreSQL of POSTGRES_HOST');
  return keepSecrets(dataDir, (name) => given[name] ?? kept[name] ?? '');
}

function keptSecrets(dataDir: string): Partial<StackSecrets> {
  const file = join(dataDir, stackFiles.secrets);
  return existsSync(file) ? parseEnv(readFileSync(file, 'utf8')) : {};
}

/** One that is empty is kept as no value, and is read as such. */
function keepSecrets(dataDir: string, secret: (name: keyof StackSecrets) => string): StackSecrets {
  const secrets = Object.fromEntries(SECRETS.map((name) => [name, secret(name)])) as Record<
    keyof StackSecrets,
    string
  >;
  writeEnvFile(join(dataDir, stackFiles.secrets), secrets);
  return secrets;
}

export function readInternalPorts(dataDir: string): InternalPorts | undefined {
  const file = join(dataDir, files.internalPorts);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as InternalPorts) : undefined;
}

export function writeInternalPorts(dataDir: string, ports: InternalPorts): void {
  writeFileSync(join(dataDir, files.internalPorts), JSON.stringify(ports));
}

/** The addresses in force, for every other process that reads the configuration. */
export function writeAddresses(dataDir: string, addresses: Readonly<Record<string, string>>): void {
  writeEnvFile(join(dataDir, stackFiles.addresses), addresses);
}

function writeEnvFile(file: string, values: object): void {
  const lines = Object.entries(values).map(([name, value]) => `${name}=${quoted(String(value))}`);
  writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o600 });
}

/** Such a file knows no escape: a value is put between quotes of a kind that it does not hold. Single ones change nothing in it. */
function quoted(value: string): string {
  const quote = ["'", '`', '"'].find((each) => !value.includes(each)) ?? "'";
  return `${quote}${value}${quote}`;
}
