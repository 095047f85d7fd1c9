import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { postgresAddress, ReaderUnknownError, readerAddress } from '../config/addresses.ts';
import { loadConfig, stackFiles } from '../config/load.ts';
import { temporaryDirectories } from '../tests/support/temporary-directories.ts';
import {
  endLeftovers,
  ensureSecrets,
  expectSecrets,
  ownIdentity,
  readInternalPorts,
  readState,
  removeState,
  type StackState,
  takeDataDir,
  writeAddresses,
  writeInternalPorts,
  writeState,
} from './data-dir.ts';
import { AlreadyRunningError, MissingPasswordError, SourceMismatchError } from './errors.ts';
import { identify, isAlive, type ProcessIdentity } from './process-identity.ts';

const temporaryDirectory = temporaryDirectories();
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

async function runningProcess(): Promise<ProcessIdentity> {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true });
  children.push(child);
  return (await identify(child.pid!))!;
}

async function endedProcess(): Promise<ProcessIdentity> {
  const identity = await runningProcess();
  const child = children.at(-1)!;
  child.kill('SIGKILL');
  await once(child, 'exit');
  return identity;
}

const stateOf = (
  supervisor: ProcessIdentity,
  processes: readonly (ProcessIdentity | undefined)[] = [],
): StackState => ({
  supervisor,
  phase: 'ready',
  source: 'mock',
  startedAt: '2026-01-01T00:00:00.000Z',
  urls: { Flink: 'http://127.0.0.1:8081' },
  services: processes.map((process, index) => ({
    name: `service-${index}`,
    phase: 'ready',
    process,
    restarts: 0,
  })),
});

describe('taking the data directory', () => {
  test('a directory that is not there is made, with one for the logs', async () => {
    const dataDir = join(temporaryDirectory(), 'deep', 'data');
    expect(await takeDataDir(dataDir, 'mock')).toEqual([]);
    expect(existsSync(join(dataDir, 'logs'))).toBe(true);
  });

  test('a second supervisor is refused, with the first one’s process and three remedies', async () => {
    const dataDir = temporaryDirectory();
    const supervisor = await runningProcess();
    writeState(dataDir, stateOf(supervisor));
    const taking = takeDataDir(dataDir, 'mock');
    await expect(taking).rejects.toThrow(AlreadyRunningError);
    await expect(taking).rejects.toThrow(
      `A stack already runs on ${dataDir} (process ${supervisor.pid}): see it with \`npx hourglass status\`, stop it with \`npx hourglass down\`, or set HOURGLASS_DATA_DIR`,
    );
  });

  test('a supervisor that was killed does not keep the directory, nor does another process with its id', async () => {
    const dataDir = temporaryDirectory();
    writeState(dataDir, stateOf(await endedProcess()));
    await expect(takeDataDir(dataDir, 'mock')).resolves.toEqual([]);
    const { pid } = await runningProcess();
    writeState(dataDir, stateOf({ pid, startedAt: 'of the one before' }));
    await expect(takeDataDir(dataDir, 'mock')).resolves.toEqual([]);
  });

  test('what a killed supervisor left running is found, and what has ended is not', async () => {
    const dataDir = temporaryDirectory();
    const [kafka, flink] = [await runningProcess(), await runningProcess()];
    writeState(dataDir, stateOf(await endedProcess(), [kafka, await endedProcess(), undefined, flink]));
    expect(await takeDataDir(dataDir, 'mock')).toEqual([kafka, flink]);
  });

  test('leftovers are ended', async () => {
    const leftovers = [await runningProcess(), await runningProcess()];
    await endLeftovers(leftovers);
    expect(await Promise.all(leftovers.map(isAlive))).toEqual([false, false]);
  });

  test('it belongs to its first source for ever', async () => {
    const dataDir = temporaryDirectory();
    await takeDataDir(dataDir, 'mock');
    const taking = takeDataDir(dataDir, 'openweathermap');
    await expect(taking).rejects.toThrow(SourceMismatchError);
    await expect(taking).rejects.toThrow(
      /holds weather of the source "mock", but WEATHER_SOURCE is "openweathermap": .* Set WEATHER_SOURCE=mock, or .*HOURGLASS_DATA_DIR=\.stack-openweathermap/,
    );
    await expect(takeDataDir(dataDir, 'mock')).resolves.toEqual([]);
  });
});

describe('the state', () => {
  test('is read as it was written, until it is removed together with the addresses', async () => {
    const dataDir = temporaryDirectory();
    expect(readState(dataDir)).toBeUndefined();
    const state = stateOf(await ownIdentity(), [await ownIdentity()]);
    writeState(dataDir, state);
    writeAddresses(dataDir, { KAFKA_BROKERS: '127.0.0.1:9092' });
    expect(readState(dataDir)).toEqual(state);
    removeState(dataDir);
    expect(readState(dataDir)).toBeUndefined();
    expect(existsSync(join(dataDir, stackFiles.addresses))).toBe(false);
  });

  test('the internal ports are remembered', () => {
    const dataDir = temporaryDirectory();
    expect(readInternalPorts(dataDir)).toBeUndefined();
    const ports = { kafkaController: 1, flinkRpc: 2, workerHealth: 3, temporalInternal: [4, 5] };
    writeInternalPorts(dataDir, ports);
    expect(readInternalPorts(dataDir)).toEqual(ports);
  });

  test('the addresses in force are what the configuration of every other process reads', () => {
    const dataDir = temporaryDirectory();
    writeAddresses(dataDir, { KAFKA_BROKERS: '127.0.0.1:9093', KAFKA_PORT: '9093' });
    const { values, origins } = loadConfig({
      environment: { HOURGLASS_DATA_DIR: dataDir },
      envFile: join(dataDir, 'none'),
    });
    expect(values).toMatchObject({ KAFKA_BROKERS: ['127.0.0.1:9093'], KAFKA_PORT: 9093 });
    expect(origins.KAFKA_BROKERS).toBe('stack');
  });
});

describe('the secrets', () => {
  const read = (dataDir: string) => parseEnv(readFileSync(join(dataDir, stackFiles.secrets), 'utf8'));

  test('are made once, all different, and kept in a file that only its owner can read', () => {
    const dataDir = temporaryDirectory();
    const made = ensureSecrets(dataDir, {});
    expect(new Set(Object.values(made)).size).toBe(4);
    for (const secret of Object.values(made)) expect(secret).toMatch(/^[\w-]{24}$/);
    expect(statSync(join(dataDir, stackFiles.secrets)).mode & 0o777).toBe(0o600);
    expect(ensureSecrets(dataDir, {})).toEqual(made);
    expect(read(dataDir)).toEqual(made);
  });

  test('of a server of somebody else are never made up', () => {
    const dataDir = temporaryDirectory();
    const needed = ['POSTGRES_PASSWORD', 'POSTGRES_PIPELINE_PASSWORD'] as const;
    expect(() => expectSecrets(dataDir, { POSTGRES_PASSWORD: 'mine' }, needed)).toThrow(MissingPasswordError);
    expect(() => expectSecrets(dataDir, {}, needed)).toThrow(
      /^POSTGRES_PASSWORD and POSTGRES_PIPELINE_PASSWORD are not set: .* Set them in \.env\.$/,
    );
    expect(existsSync(join(dataDir, stackFiles.secrets))).toBe(false);

    expectSecrets(dataDir, { POSTGRES_PASSWORD: 'mine' }, ['POSTGRES_PASSWORD']);
    const config = loadConfig({
      environment: { HOURGLASS_DATA_DIR: dataDir, POSTGRES_HOST: 'postgres' },
      envFile: join(dataDir, 'none'),
    });
    expect(postgresAddress(config).password).toBe('mine');
    expect(() => readerAddress(config)).toThrow(ReaderUnknownError);
  });

  test('differ from directory to directory', () => {
    const [one, other] = [ensureSecrets(temporaryDirectory(), {}), ensureSecrets(temporaryDirectory(), {})];
    expect(Object.values(one).filter((secret) => Object.values(other).includes(secret))).toEqual([]);
  });

  test('of the user win over those that were made, and leave the others alone', () => {
    const dataDir = temporaryDirectory();
    const made = ensureSecrets(dataDir, {});
    const secrets = ensureSecrets(dataDir, { POSTGRES_PASSWORD: 'mine' });
    expect(secrets).toEqual({ ...made, POSTGRES_PASSWORD: 'mine' });
    expect(read(dataDir)).toEqual(secrets);
  });

  test('of any characters are read as they were given', () => {
    const dataDir = temporaryDirectory();
    const password = fc
      .string({
        minLength: 1,
        unit: fc.oneof(
          fc.constantFrom('"', "'", '`', '\\n', '\\', '#', '$', ' ', '='),
          fc.string({ minLength: 1, maxLength: 1 }),
        ),
      })
      .filter((text) => !['"', "'", '`'].every((quote) => text.includes(quote)))
      // In double quotes, which are left when the value holds both of the others, \n is read as a line break.
      .filter((text) => !(text.includes("'") && text.includes('`') && text.includes('\\n')));
    fc.assert(
      fc.property(password, (given) => {
        ensureSecrets(dataDir, { POSTGRES_PASSWORD: given });
        expect(read(dataDir)['POSTGRES_PASSWORD']).toBe(given);
      }),
    );
  });
});
