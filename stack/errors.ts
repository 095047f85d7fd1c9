/** Owns the errors of the native stack: each is one sentence with its remedy. */
import { HourglassError } from '../domain/errors.ts';

/** Thrown when a port that was set explicitly is taken. A port that was not set explicitly never causes it. */
export class PortInUseError extends HourglassError {
  constructor(port: number, service: string, variable: string) {
    super(
      'PORT_IN_USE',
      `Port ${port} for ${service} is in use (${variable}=${port}): stop what listens there, set another ${variable}, or leave it out and a free port is taken.`,
    );
  }
}

/** Thrown when something the machine must bring is missing or too old and cannot be installed from here. */
export class PrerequisiteError extends HourglassError {
  constructor(what: string, remedy: string) {
    super('PREREQUISITE', `${what} ${remedy}`);
  }
}

/** Thrown when a download or a build of the stack's parts fails. The cache holds nothing of the failed attempt. */
export class ProvisionError extends HourglassError {
  constructor(what: string, cause: unknown) {
    super('PROVISION', what, { retryable: true, cause });
  }
}

/** Thrown when a service never became ready; the last lines of its log are in the message. */
export class ServiceStartError extends HourglassError {
  constructor(service: string, reason: string, logFile: string, lastLines: string) {
    super(
      'SERVICE_START',
      `${service} did not start: ${reason}. Its log is ${logFile}${lastLines === '' ? '.' : ` and ends with:\n${lastLines}`}`,
    );
  }
}

/** Thrown when a supervisor already runs on this data directory. */
export class AlreadyRunningError extends HourglassError {
  constructor(pid: number, dataDir: string) {
    super(
      'ALREADY_RUNNING',
      `A stack already runs on ${dataDir} (process ${pid}): see it with \`npx hourglass status\`, stop it with \`npx hourglass down\`, or set HOURGLASS_DATA_DIR to run a second one.`,
    );
  }
}

/** Thrown when data of one source would be mixed with data of another. */
export class SourceMismatchError extends HourglassError {
  constructor(where: string, holds: string, wanted: string) {
    super(
      'SOURCE_MISMATCH',
      `${where} holds weather of the source "${holds}", but WEATHER_SOURCE is "${wanted}": invented and real hours never mix. Set WEATHER_SOURCE=${holds}, or use another place (HOURGLASS_DATA_DIR=.stack-${wanted} for the native stack, another database and Kafka otherwise).`,
    );
  }
}

/** Thrown when a server of somebody's own is to be used and a password for it is not set. Nothing was made up in its place. */
export class MissingPasswordError extends HourglassError {
  /** @param what cannot be done without them */
  constructor(variables: readonly string[], what: string) {
    super(
      'MISSING_PASSWORD',
      `${variables.join(' and ')} ${variables.length === 1 ? 'is' : 'are'} not set: without ${variables.length === 1 ? 'it' : 'them'} ${what}. Set ${variables.length === 1 ? 'it' : 'them'} in .env.`,
    );
  }
}
