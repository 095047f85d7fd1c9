/** Provisions what the native stack runs, once, into the cache; says what is missing before the big downloads. */
import type { Config } from '../config/load.ts';
import { isNative, type StackParts } from './context.ts';
import type { Progress } from './progress.ts';
import { provisionJars } from './provision/jars.ts';
import { ensureJavaAndMaven } from './provision/java.ts';
import { provisionPostgres } from './provision/postgres.ts';
import { provisionTemporal, type TemporalPrograms } from './provision/temporal.ts';

const NOT_NEEDED = '';
const NO_TEMPORAL: TemporalPrograms = { kind: 'cli', cli: NOT_NEEDED, version: NOT_NEEDED, how: NOT_NEEDED };

/** Nothing is asked for, and nothing fetched, for a service that somebody else runs. */
export async function provision(config: Config, { step, note }: Progress): Promise<StackParts> {
  const { cacheDir, values } = config;
  const ownKafka = isNative(config, 'KAFKA_BROKERS');
  const ownFlink = isNative(config, 'FLINK_REST_URL');
  const java =
    ownKafka || ownFlink
      ? await step(
          'Java and Maven',
          () => ensureJavaAndMaven((text) => note('Java and Maven', text)),
          ({ version, command }) => `Java ${version} at ${command}`,
        )
      : { command: NOT_NEEDED };
  // Together: Temporal may be five minutes of compiling, Maven is mostly waiting. Maven's own cache takes one run at a time.
  const [postgres, temporal, jars] = await allSettled([
    isNative(config, 'POSTGRES_HOST') ? step('PostgreSQL', () => provisionPostgres(cacheDir)) : NOT_NEEDED,
    isNative(config, 'TEMPORAL_ADDRESS')
      ? step(
          'Temporal',
          () =>
            provisionTemporal(cacheDir, values.TEMPORAL_MIN_SERVER_VERSION, (text) => note('Temporal', text)),
          ({ how }) => how,
        )
      : NO_TEMPORAL,
    (async () => ({
      kafka: ownKafka
        ? await step('Kafka', (detail) => provisionJars('kafka', cacheDir, detail))
        : NOT_NEEDED,
      flink: ownFlink
        ? await step('Flink', (detail) => provisionJars('flink', cacheDir, detail))
        : NOT_NEEDED,
    }))(),
  ] as const);
  return { java: java.command, postgres, temporal, kafkaJars: jars.kafka, flinkJars: jars.flink };
}

/** Waits for all before it throws the first failure, so that no download goes on behind a message that says it failed. */
async function allSettled<T extends readonly unknown[]>(
  promises: T,
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  const results = await Promise.allSettled(promises);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return results.map((result) => (result.status === 'fulfilled' ? result.value : undefined)) as {
    -readonly [K in keyof T]: Awaited<T[K]>;
  };
}
