/** Provisions everything the native stack runs, once, into the cache; says what is missing before the big downloads. */
import type { Config } from '../config/load.ts';
import type { StackParts } from './context.ts';
import type { Progress } from './progress.ts';
import { provisionJars } from './provision/jars.ts';
import { ensureJavaAndMaven } from './provision/java.ts';
import { provisionPostgres } from './provision/postgres.ts';
import { provisionTemporal } from './provision/temporal.ts';

export async function provision({ cacheDir, values }: Config, { step, note }: Progress): Promise<StackParts> {
  const java = await step(
    'Java and Maven',
    () => ensureJavaAndMaven((text) => note('Java and Maven', text)),
    ({ version, command }) => `Java ${version} at ${command}`,
  );
  // Together: Temporal may be five minutes of compiling, Maven is mostly waiting. Maven's own cache takes one run at a time.
  const [postgres, temporal, jars] = await allSettled([
    step('PostgreSQL', () => provisionPostgres(cacheDir)),
    step(
      'Temporal',
      () => provisionTemporal(cacheDir, values.TEMPORAL_MIN_SERVER_VERSION, (text) => note('Temporal', text)),
      ({ how }) => how,
    ),
    (async () => ({
      kafka: await step('Kafka', (detail) => provisionJars('kafka', cacheDir, detail)),
      flink: await step('Flink', (detail) => provisionJars('flink', cacheDir, detail)),
    }))(),
  ] as const);
  return { java: java.command, postgres, temporal, kafkaJars: jars.kafka, flinkJars: jars.flink };
}

/** Waits for all before it throws the first failure, so that no download goes on behind a message that says it failed. */
async function allSettled<T extends readonly Promise<unknown>[]>(
  promises: T,
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  const results = await Promise.allSettled(promises);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return results.map((result) => (result.status === 'fulfilled' ? result.value : undefined)) as {
    -readonly [K in keyof T]: Awaited<T[K]>;
  };
}
