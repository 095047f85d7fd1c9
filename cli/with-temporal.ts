/** Asks the configured database and Temporal for a command, and closes both connections whatever happens. */
import type { Client } from '@temporalio/client';
import type { Database } from '../clients/postgres.ts';
import { connectTemporal } from '../clients/temporal.ts';
import { temporalAddress } from '../config/addresses.ts';
import { loadConfig } from '../config/load.ts';
import { withDatabase } from './with-database.ts';

/** @throws StackNotRunningError, TemporalUnreachableError, and what `ask` throws */
export function withTemporal<T>(ask: (client: Client, database: Database) => Promise<T>): Promise<T> {
  const config = loadConfig();
  return withDatabase(async (database) => {
    const client = await connectTemporal(temporalAddress(config), config.values.TEMPORAL_NAMESPACE);
    try {
      return await ask(client, database);
    } finally {
      await client.connection.close();
    }
  });
}
