/** `hourglass mock`: the OpenWeatherMap mock alone, for trying clients against it. */
import { Command, InvalidArgumentError } from 'commander';
import { seedFile } from '../clients/sql-files.ts';
import { HourglassError } from '../domain/errors.ts';
import { loadCities } from '../mock/cities.ts';
import { startMock } from '../mock/server.ts';
import { defaultStepSeconds } from '../mock/weather.ts';

/** Thrown when the port that the mock was given is taken. */
class MockPortInUseError extends HourglassError {
  constructor(port: number) {
    super(
      'PORT_IN_USE',
      `Port ${port} for the mock is in use: stop what listens there, or give another with --port.`,
    );
  }
}

export function mockCommand(): Command {
  return new Command('mock')
    .description('Run the OpenWeatherMap mock alone')
    .option('--port <number>', 'port to listen on', wholeNumber, 8090)
    .option('--seed <text>', 'the same seed invents the same weather', 'hourglass')
    .option(
      '--step-seconds <number>',
      'how often a city has a new observation',
      wholeNumber,
      defaultStepSeconds,
    )
    .action(mock);
}

async function mock({
  port,
  seed,
  stepSeconds,
}: {
  port: number;
  seed: string;
  stepSeconds: number;
}): Promise<void> {
  const server = await startMock({
    port,
    seed,
    stepSeconds,
    cities: loadCities(seedFile('locations.csv')),
  }).catch((error) => {
    throw error.code === 'EADDRINUSE' ? new MockPortInUseError(port) : error;
  });
  console.log(
    `The mock answers at ${server.url}, for example ${server.url}/data/2.5/weather?q=Oslo&units=metric&appid=any`,
  );
  const stop = (): void => void server.close();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('expected a whole number of at least 1');
  return value;
}
