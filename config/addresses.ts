/** Turns the environment into the addresses and credentials that clients are made with; says what is missing and why. */
import { HourglassError } from '../domain/errors.ts';
import type { Config } from './load.ts';

/**
 * Thrown when a command needs a service whose address nobody has set: the stack is down and no address is configured; or,
 * without a variable, when it needs the stack itself.
 */
export class StackNotRunningError extends HourglassError {
  constructor(variable?: string) {
    super(
      'STACK_NOT_RUNNING',
      `The stack is not running: start it with \`npx hourglass up\`${variable === undefined ? '' : `, or set ${variable} to a service of yours`}.`,
      {
        retryable: true,
      },
    );
  }
}

function required<T>(value: T | undefined, variable: string): T {
  if (value === undefined) throw new StackNotRunningError(variable);
  return value;
}

export const kafkaBrokers = ({ values }: Config): readonly string[] =>
  required(values.KAFKA_BROKERS, 'KAFKA_BROKERS');
export const flinkRestUrl = ({ values }: Config): string => required(values.FLINK_REST_URL, 'FLINK_REST_URL');
export const flinkGatewayUrl = ({ values }: Config): string =>
  required(values.FLINK_GATEWAY_URL, 'FLINK_GATEWAY_URL');
export const flinkCheckpointDirectory = ({ values }: Config): string =>
  required(values.FLINK_CHECKPOINT_DIR, 'FLINK_CHECKPOINT_DIR');
export const temporalAddress = ({ values }: Config): string =>
  required(values.TEMPORAL_ADDRESS, 'TEMPORAL_ADDRESS');

export interface PostgresAddress {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
}

/** The owner's connection: migrations, workers and the CLI. */
export function postgresAddress({ values }: Config): PostgresAddress {
  return {
    host: required(values.POSTGRES_HOST, 'POSTGRES_HOST'),
    port: values.POSTGRES_PORT,
    database: values.POSTGRES_DATABASE,
    user: values.POSTGRES_USER,
    password: required(values.POSTGRES_PASSWORD, 'POSTGRES_PASSWORD'),
  };
}

/** Thrown when the database is known and its reader is not: one of somebody's own, or a stack that was started before there was one. */
export class ReaderUnknownError extends HourglassError {
  constructor(role: string) {
    super(
      'READER_UNKNOWN',
      `The password of the role ${role}, which reads for people, is not known: start the stack again, which makes the role, or make it on a server of yours and set POSTGRES_READER_PASSWORD.`,
    );
  }
}

/** The connection of people who read: it sees every table and can change none. @throws StackNotRunningError, ReaderUnknownError */
export function readerAddress({ values }: Config): PostgresAddress {
  const host = required(values.POSTGRES_HOST, 'POSTGRES_HOST');
  const { POSTGRES_READER_USER: user, POSTGRES_READER_PASSWORD: password } = values;
  if (password === undefined) throw new ReaderUnknownError(user);
  return { host, port: values.POSTGRES_PORT, database: values.POSTGRES_DATABASE, user, password };
}

export interface SourceAddress {
  readonly baseUrl: string;
  readonly historyUrl: string;
  readonly apiKey: string;
  readonly timeoutMs: number;
  readonly plan: Config['values']['OPENWEATHERMAP_PLAN'];
}

/** The weather API in force: the mock's addresses are set by the stack, the real one's are its public names. */
export function weatherApi({ values }: Config): SourceAddress {
  return {
    baseUrl: required(values.OPENWEATHERMAP_BASE_URL, 'OPENWEATHERMAP_BASE_URL'),
    historyUrl: required(values.OPENWEATHERMAP_HISTORY_URL, 'OPENWEATHERMAP_HISTORY_URL'),
    apiKey: values.OPENWEATHERMAP_API_KEY ?? 'mock',
    timeoutMs: values.OPENWEATHERMAP_TIMEOUT_MS,
    plan: values.OPENWEATHERMAP_PLAN,
  };
}
