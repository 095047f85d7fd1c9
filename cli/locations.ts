/** `hourglass locations`: the registry of what is polled and expected; each command is carried out in `cli/locations/`. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { readInstant } from '../domain/locations.ts';
import { timeAgo, wholeNumber } from './arguments.ts';
import { activateLocations, deactivateLocations } from './locations/activity.ts';
import { addLocation } from './locations/add.ts';
import { importLocations } from './locations/import.ts';
import { listLocations } from './locations/list.ts';

export function locationsCommand(): Command {
  const command = new Command('locations').description(
    'The registry: which cities are polled, how often, and since when',
  );
  addListing(command);
  addAdding(command);
  changing(command, 'import', 'Register the locations of a CSV file, all of them or none')
    .argument('<file>', 'a CSV file with a header, or - for the standard input')
    .action(importLocations);
  changing(
    command,
    'deactivate',
    'End locations: neither polled nor expected any more; what was observed stays',
  )
    .argument('<city-ids...>', 'their ids', cityIds)
    .addOption(new Option('--at <time>', 'when they end; now unless given').argParser(timeOfRegistry))
    .action(deactivateLocations);
  changing(command, 'activate', 'Have locations that ended begin again')
    .argument('<city-ids...>', 'their ids', cityIds)
    .addOption(
      new Option('--from <time>', 'from when on their hours are expected; now unless given').argParser(
        timeOfRegistry,
      ),
    )
    .action(activateLocations);
  return command;
}

function addListing(parent: Command): void {
  parent
    .command('list')
    .description('The locations that are active or planned, with what was last had of each')
    .option('--all', 'also those that ended')
    .option('--country <code>', 'of this country alone, such as NO')
    .option('--search <text>', 'whose name holds this text')
    .option('--json', 'print as JSON')
    .action(listLocations);
}

function addAdding(parent: Command): void {
  changing(parent, 'add', 'Register one city, or change it: by its id, or by a search')
    .argument('[city-id]', "the city's id in OpenWeatherMap")
    .option('--search <text>', 'find the city by a name: "Oslo", "Oslo,NO"')
    .addOption(
      new Option('--pick <number>', 'which of several places that a search found').argParser(wholeNumber),
    )
    .option('--name <name>', 'its name')
    .option('--country <code>', "its country's code, such as NO")
    .option('--lat <degrees>', 'degrees north')
    .option('--lon <degrees>', 'degrees east')
    .option('--timezone <name>', 'its time zone, such as Europe/Oslo; a search finds it by the coordinates')
    .option('--cadence <minutes>', 'how often it is polled; every 10 min unless given')
    .option(
      '--min-observations <number>',
      'how many observations an hour must have; 2 of 3 polls unless given',
    )
    .addOption(
      new Option('--active-from <time>', 'from when on its hours are expected; now unless given').argParser(
        // What is no such time is refused with the other columns.
        (text) => timeAgo(text, new Date())?.toISOString() ?? text,
      ),
    )
    .action(addLocation);
}

const changing = (parent: Command, name: string, description: string): Command =>
  parent
    .command(name)
    .description(description)
    .option('--dry-run', 'check everything and write nothing')
    .option('--json', 'print as JSON');

const cityIds = (text: string, earlier: readonly number[] = []): readonly number[] => [
  ...earlier,
  wholeNumber(text),
];

/** What a file may hold as a time, or so long ago. @throws InvalidArgumentError, which commander shows with the option's name */
function timeOfRegistry(text: string): Date {
  const time = timeAgo(text, new Date()) ?? readInstant(text);
  if (time === undefined)
    throw new InvalidArgumentError(
      'Expected a time, for example 2026-01-31T00:00:00Z, or 12h for 12 hours ago.',
    );
  return time;
}
