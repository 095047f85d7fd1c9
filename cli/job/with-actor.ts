/** Asks the actor of a Flink job for a command, and closes the connection to Temporal whatever happens. */
import { type JobActor, jobActor } from '../../clients/job-actor.ts';
import { connectTemporal } from '../../clients/temporal.ts';
import { temporalAddress } from '../../config/addresses.ts';
import { loadConfig } from '../../config/load.ts';

/** @throws StackNotRunningError, TemporalUnreachableError, and what `ask` throws */
export async function withActor<T>(name: string, ask: (actor: JobActor) => Promise<T>): Promise<T> {
  const config = loadConfig();
  const client = await connectTemporal(temporalAddress(config), config.values.TEMPORAL_NAMESPACE);
  try {
    return await ask(jobActor(client, name));
  } finally {
    await client.connection.close();
  }
}
