import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../config/load.ts';
import { temporaryDirectories } from '../tests/support/temporary-directories.ts';
import { createProgress } from './progress.ts';
import { provision } from './provision.ts';

const temporaryDirectory = temporaryDirectories();

describe('the provision', () => {
  test('asks for nothing, and fetches nothing, when somebody else runs every service', async () => {
    const cacheDir = temporaryDirectory();
    const steps: string[] = [];
    const config = loadConfig({
      environment: {
        HOURGLASS_CACHE_DIR: cacheDir,
        HOURGLASS_DATA_DIR: temporaryDirectory(),
        ...{ POSTGRES_HOST: 'postgres', KAFKA_BROKERS: 'kafka:19092', TEMPORAL_ADDRESS: 'temporal:7233' },
        ...{ FLINK_REST_URL: 'http://flink:8081', FLINK_GATEWAY_URL: 'http://gateway:8083' },
        FLINK_CHECKPOINT_DIR: 'file:///data/flink/checkpoints',
      },
      envFile: join(cacheDir, 'none'),
    });
    const parts = await provision(
      config,
      createProgress(({ step }) => steps.push(step)),
    );
    expect(steps).toEqual([]);
    expect(readdirSync(cacheDir)).toEqual([]);
    expect([parts.java, parts.kafkaJars, parts.flinkJars, parts.postgres]).toEqual(['', '', '', '']);
  });
});
