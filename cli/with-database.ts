/** Asks the configured database for a command, and closes the connection whatever happens. */
import { connectDatabase, type Database } from '../clients/postgres.ts';
import { postgresAddress } from '../config/addresses.ts';
import { loadConfig } from '../config/load.ts';
import { tablesOf } from '../pipelines/index.ts';

export async function withDatabase<T>(ask: (database: Database) => Promise<T>): Promise<T> {
  const database = connectDatabase({ ...postgresAddress(loadConfig()), connections: 1 }, tablesOf);
  try {
    return await ask(database);
  } finally {
    await database.close();
  }
}
