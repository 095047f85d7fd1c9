/** Reads the configuration: the process environment over `.env` over what the running stack wrote over the defaults. */
import { existsSync, readFileSync } from 'node:fs';
import { homedir, platform } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseEnv } from 'node:util';
import type { z } from 'zod';
import { HourglassError } from '../domain/errors.ts';
import {
  describeVariable,
  type Environment,
  environmentSchema,
  type VariableName,
  variableNames,
} from './environment.ts';

/** Where `sql/` is: the checkout, or the directory of a built worker, which carries its own copy. */
export const projectRoot = dirname(dirname(fileURLToPath(import.meta.url)));

export type Origin = 'environment' | '.env' | 'stack' | 'default';

/** What always has a value, if only one that depends on the source. */
interface DefaultsOfTheSource {
  readonly OPENWEATHERMAP_PLAN: NonNullable<Environment['OPENWEATHERMAP_PLAN']>;
  readonly FIRST_START_HISTORY_HOURS: number;
}

export interface Config {
  readonly values: Environment & DefaultsOfTheSource;
  /** Where each value came from; a service that the native stack runs has its address from `stack`. */
  readonly origins: Readonly<Record<VariableName, Origin>>;
  readonly dataDir: string;
  readonly cacheDir: string;
}

/** Thrown with every mistake at once: a line for each, with the variable, the value (unless secret) and an example. */
export class ConfigurationError extends HourglassError {
  constructor(mistakes: readonly string[]) {
    super(
      'CONFIGURATION',
      `The configuration has ${mistakes.length === 1 ? 'a mistake' : `${mistakes.length} mistakes`}:\n${mistakes.map((line) => `  ${line}`).join('\n')}`,
    );
  }
}

export interface LoadOptions {
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** What a command's options set: it counts as set in the environment, and wins over it. */
  readonly settings?: Readonly<Partial<Record<VariableName, string>>>;
  /** The file with the user's settings; `.env` of the checkout unless told. */
  readonly envFile?: string;
  /** Whether the addresses and secrets of the running stack count. The supervisor, which decides them, says no. */
  readonly stackAddresses?: boolean;
}

/** Files the native stack writes under the data directory: the addresses in force, and the passwords it made. */
export const stackFiles = { addresses: 'addresses.env', secrets: 'secrets.env' } as const;

/** @throws ConfigurationError with all mistakes */
export function loadConfig(options: LoadOptions = {}): Config {
  const environment = withoutEmpty({ ...(options.environment ?? process.env), ...options.settings });
  const dotEnv = readEnvFile(options.envFile ?? join(projectRoot, '.env'));
  const dataDir = absolute(environment['HOURGLASS_DATA_DIR'] ?? dotEnv['HOURGLASS_DATA_DIR'] ?? '.stack');
  const stack = {
    ...readEnvFile(join(dataDir, stackFiles.secrets)),
    ...(options.stackAddresses === false ? {} : readEnvFile(join(dataDir, stackFiles.addresses))),
  };
  const merged = { ...stack, ...dotEnv, ...environment };
  const raw = Object.fromEntries(variableNames.map((name) => [name, merged[name]]));
  const parsed = environmentSchema.safeParse(raw);
  const mistakes = [
    ...unknownVariables(dotEnv),
    ...(parsed.success ? [] : parsed.error.issues.map((issue) => describeMistake(issue, raw))),
  ];
  if (!parsed.success || mistakes.length > 0) throw new ConfigurationError(mistakes);
  const origins = Object.fromEntries(
    variableNames.map((name) => [
      name,
      name in environment ? 'environment' : name in dotEnv ? '.env' : name in stack ? 'stack' : 'default',
    ]),
  ) as Record<VariableName, Origin>;
  return {
    values: withDefaultsOfTheSource(parsed.data),
    origins,
    dataDir,
    cacheDir: absolute(parsed.data.HOURGLASS_CACHE_DIR ?? defaultCacheDir(environment)),
  };
}

/** A value in force as it would be written in a file, or null when it is not set. */
export function textOf({ values }: Pick<Config, 'values'>, name: VariableName): string | null {
  const value = values[name];
  return value === undefined ? null : Array.isArray(value) ? value.join(',') : String(value);
}

/** Defaults that depend on another variable; like every value in force they are shown by `hourglass config`. */
function withDefaultsOfTheSource(values: Environment): Config['values'] {
  const isMock = values.WEATHER_SOURCE === 'mock';
  const { OPENWEATHERMAP_PLAN = isMock ? 'developer' : 'free', FIRST_START_HISTORY_HOURS = isMock ? 24 : 0 } =
    values;
  const decided = { ...values, OPENWEATHERMAP_PLAN, FIRST_START_HISTORY_HOURS };
  // A mock has all paths at one address.
  if (isMock) {
    const OPENWEATHERMAP_BASE_URL = values.OPENWEATHERMAP_BASE_URL ?? values.MOCK_URL;
    const OPENWEATHERMAP_HISTORY_URL = values.OPENWEATHERMAP_HISTORY_URL ?? OPENWEATHERMAP_BASE_URL;
    return { ...decided, OPENWEATHERMAP_BASE_URL, OPENWEATHERMAP_HISTORY_URL };
  }
  const {
    OPENWEATHERMAP_BASE_URL = 'https://api.openweathermap.org',
    OPENWEATHERMAP_HISTORY_URL = 'https://history.openweathermap.org',
  } = values;
  return { ...decided, OPENWEATHERMAP_BASE_URL, OPENWEATHERMAP_HISTORY_URL };
}

function describeMistake(issue: z.core.$ZodIssue, raw: Record<string, string | undefined>): string {
  const name = issue.path[0] as VariableName;
  const { example, secret } = describeVariable(name);
  const value = raw[name];
  const given = value === undefined ? 'is not set' : secret ? 'has an unusable value' : `is "${value}"`;
  return `${name} ${given}: ${issue.message} (for example ${name}=${example})`;
}

function unknownVariables(dotEnv: Record<string, string>): string[] {
  return Object.keys(dotEnv)
    .filter((name) => !(variableNames as string[]).includes(name))
    .map((name) => `${name} in .env is not a variable of Hourglass: see example.env for those that are`);
}

function readEnvFile(file: string): Record<string, string> {
  return existsSync(file) ? withoutEmpty(parseEnv(readFileSync(file, 'utf8')) as Record<string, string>) : {};
}

/** `KAFKA_PORT=` in a file means the same as no such line. */
function withoutEmpty(record: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(record).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== '',
    ),
  );
}

function absolute(path: string): string {
  return isAbsolute(path) ? path : resolve(projectRoot, path);
}

/** Root's own home is closed to the user PostgreSQL must run as, so root's cache is the machine's. */
function defaultCacheDir(environment: Record<string, string>): string {
  if (process.getuid?.() === 0) return '/var/cache/hourglass';
  if (platform() === 'darwin') return join(homedir(), 'Library', 'Caches', 'hourglass');
  return join(environment['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'hourglass');
}
