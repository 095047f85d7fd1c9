/** `hourglass mock`: the OpenWeatherMap mock alone, for trying clients against it. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { seedFile } from '../clients/sql-files.ts';
import { HourglassError } from '../domain/errors.ts';
import { loadCities } from '../mock/cities.ts';
import { type Faults, FaultsError, parseFaults } from '../mock/faults.ts';
import { callsPerMinuteOfPlan, type PlanName, planNames } from '../mock/keys.ts';
import { startMock } from '../mock/server.ts';
import { defaultStepSeconds } from '../mock/weather.ts';
import { createPortChooser } from '../stack/ports.ts';

/** Thrown when a port that the mock was given is taken. */
class MockPortInUseError extends HourglassError {
  constructor(port: number, what: string, option: string) {
    super(
      'PORT_IN_USE',
      `Port ${port} for ${what} is in use: stop what listens there, or give another with ${option}.`,
    );
  }
}

interface MockCommandOptions {
  readonly port: number;
  readonly host: string;
  /** True when none was given, false when none is wanted. */
  readonly admin: boolean;
  readonly adminPort?: number;
  readonly seed: string;
  readonly stepSeconds: number;
  readonly plan: PlanName;
  readonly faults?: Faults;
}

export function mockCommand(): Command {
  return new Command('mock')
    .description('Run the OpenWeatherMap mock alone')
    .option('--port <number>', 'port to listen on', wholeNumber, 8090)
    .option('--host <address>', 'address to listen on; the admin stays on 127.0.0.1', '127.0.0.1')
    .option(
      '--admin-port <number>',
      'port of the admin, on 127.0.0.1 alone (default: 8091, or the next one that is free)',
      wholeNumber,
    )
    .option('--no-admin', 'no admin port')
    .option('--seed <text>', 'the same seed invents the same weather', 'hourglass')
    .option(
      '--step-seconds <number>',
      'how often a city has a new observation',
      wholeNumber,
      defaultStepSeconds,
    )
    .addOption(
      new Option('--plan <name>', 'whose limit of calls a key has that is not itself the name of a plan')
        .choices(planNames)
        .default('developer'),
    )
    .option('--faults <json>', 'what goes wrong, see docs/mock.md, for example {"serverError":0.05}', faults)
    .action(mock);
}

async function mock(options: MockCommandOptions): Promise<void> {
  const { port, host, seed, stepSeconds, plan, faults } = options;
  const adminPort = await adminPortOf(options);
  const server = await startMock({
    port,
    host,
    adminPort,
    seed,
    stepSeconds,
    callsPerMinute: callsPerMinuteOfPlan[plan],
    ...(faults === undefined ? {} : { faults }),
    cities: loadCities(seedFile('locations.csv')),
  }).catch((error) => {
    if (error.code !== 'EADDRINUSE') throw error;
    throw error.port === adminPort
      ? new MockPortInUseError(error.port, "the mock's admin", '--admin-port')
      : new MockPortInUseError(port, 'the mock', '--port');
  });
  console.log(
    `The mock answers at ${server.url}, for example ${server.url}/data/2.5/weather?q=Oslo&units=metric&appid=any`,
  );
  if (server.adminUrl !== undefined)
    console.log(
      `Its admin answers at ${server.adminUrl}: GET, PUT and DELETE /faults, GET /served, GET /calls`,
    );
  const stop = (): void => void server.close();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
}

const usualAdminPort = 8091;

/** A port that nobody asked for must not keep a second mock from starting beside a first. */
async function adminPortOf({ port, admin, adminPort }: MockCommandOptions): Promise<number | undefined> {
  if (!admin) return undefined;
  if (adminPort !== undefined) return adminPort;
  const wanted = port === usualAdminPort ? port + 1 : usualAdminPort;
  return createPortChooser().choose({
    service: "the mock's admin",
    variable: '--admin-port',
    port: wanted,
    explicit: false,
  });
}

/** An empty text is no faults, as an empty MOCK_FAULTS is. */
function faults(text: string): Faults {
  if (text === '') return {};
  try {
    return parseFaults(text);
  } catch (error) {
    throw error instanceof FaultsError ? new InvalidArgumentError(error.message) : error;
  }
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('expected a whole number of at least 1');
  return value;
}
