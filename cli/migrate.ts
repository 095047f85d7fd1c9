/** `hourglass migrate`: brings a database that somebody else runs to the newest schema, before anything is started on it. */
import { Command } from 'commander';
import { postgresAddress } from '../config/addresses.ts';
import { type Config, loadConfig } from '../config/load.ts';
import type { StackSecrets } from '../stack/context.ts';
import { ensureRolesAndDatabase, prepareDatabase } from '../stack/database.ts';
import { MissingPasswordError } from '../stack/errors.ts';

export function migrateCommand(): Command {
  return new Command('migrate')
    .description('Bring the database to the newest schema, with the first locations in its registry')
    .option('--roles', 'first make the roles and the database, as the superuser postgres')
    .option('--json', 'print as JSON')
    .action(migrate);
}

async function migrate(options: { roles?: boolean; json?: boolean }): Promise<void> {
  const config = loadConfig();
  if (options.roles) await makeRoles(config);
  const done = await prepareDatabase(postgresAddress(config), config);
  console.log(options.json ? JSON.stringify({ done }) : done);
}

async function makeRoles(config: Config): Promise<void> {
  const { host, port } = postgresAddress(config);
  await ensureRolesAndDatabase({
    config,
    host,
    ports: { postgres: port },
    secrets: {
      POSTGRES_SUPERUSER_PASSWORD: passwordOf(config, 'POSTGRES_SUPERUSER_PASSWORD'),
      POSTGRES_PASSWORD: passwordOf(config, 'POSTGRES_PASSWORD'),
      POSTGRES_PIPELINE_PASSWORD: passwordOf(config, 'POSTGRES_PIPELINE_PASSWORD'),
      POSTGRES_READER_PASSWORD: passwordOf(config, 'POSTGRES_READER_PASSWORD'),
    },
  });
}

function passwordOf({ values }: Config, variable: keyof StackSecrets): string {
  const password = values[variable];
  if (password === undefined) throw new MissingPasswordError([variable], 'the roles cannot be made');
  return password;
}
