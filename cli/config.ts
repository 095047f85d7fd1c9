/** `hourglass config`: the values in force and where each came from; secrets are masked in lists. */
import { Argument, Command } from 'commander';
import { describeVariable, type VariableName, variableNames } from '../config/environment.ts';
import { type Config, loadConfig, textOf } from '../config/load.ts';
import { renderTable } from './table.ts';

export function configCommand(): Command {
  const command = new Command('config').description(
    'The configuration in force, and where each value came from',
  );
  command
    .command('list')
    .description('All variables; secrets are masked')
    .option('--json', 'print as JSON')
    .action(list);
  command
    .command('get')
    .description('One value, as it is')
    .addArgument(new Argument('<name>', 'the variable').choices(variableNames))
    .option('--json', 'print as JSON')
    .action(get);
  return command;
}

const MASK = '********';

function list(options: { json?: boolean }): void {
  const config = loadConfig();
  const entries = variableNames.map((name) => ({
    name,
    value: shown(config, name),
    origin: config.origins[name],
  }));
  if (options.json) console.log(JSON.stringify(entries, undefined, 2));
  else
    console.log(
      renderTable(
        ['Variable', 'Value', 'From'],
        entries.map(({ name, value, origin }) => [name, value ?? '(not set)', origin]),
        process.stdout.columns,
      ),
    );
}

function get(name: VariableName, options: { json?: boolean }): void {
  const config = loadConfig();
  const value = textOf(config, name);
  if (options.json) console.log(JSON.stringify({ name, value, origin: config.origins[name] }));
  else console.log(value ?? '');
}

function shown(config: Config, name: VariableName): string | null {
  const value = textOf(config, name);
  return value !== null && describeVariable(name).secret ? MASK : value;
}
