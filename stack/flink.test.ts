import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadConfig, projectRoot } from '../config/load.ts';
import { pipelines, pipelinesNamed } from '../pipelines/index.ts';
import { temporaryDirectories } from '../tests/support/temporary-directories.ts';
import type { StackContext } from './context.ts';
import { flinkServices, mostOfTaskManagerMb, optionsOfAllJvms, roomFor } from './flink.ts';

const temporaryDirectory = temporaryDirectories();

const configYaml = readFileSync(join(projectRoot, 'docker/flink/config.yaml'), 'utf8');

describe('the room of the TaskManager', () => {
  test('is what the shared configuration says while weather is run alone', () => {
    const room = roomFor(pipelinesNamed(['weather']));
    expect(Object.keys(room)).toHaveLength(4);
    for (const [key, value] of Object.entries(room)) expect(configYaml).toContain(`\n${key}: ${value}\n`);
  });

  test('is at most all that the shared configuration names', () => {
    const sizes = configYaml.matchAll(/^taskmanager\.memory\.\S+?(?:\.size|\.max): (\d+)m$/gm);
    const named = [...sizes].reduce((sum, [, megabytes]) => sum + Number(megabytes), 0);
    expect(mostOfTaskManagerMb(pipelinesNamed(['weather']))).toBe(named);
  });

  test('grows with each further stream, and always holds a batch job beside them', () => {
    const all = Object.values(pipelines);
    const slots = Number(roomFor(all)['taskmanager.numberOfTaskSlots']);
    const streams = all.reduce((sum, { job }) => sum + job.parallelism, 0);
    const widest = Math.max(...all.flatMap(({ batchJobs }) => batchJobs.map((job) => job.parallelism)));
    expect(slots - streams).toBeGreaterThanOrEqual(widest);
    expect(roomFor(all)['taskmanager.memory.network.min']).toBe(`${slots * 16}m`);
  });
});

describe('the options of all JVMs', () => {
  test('are read from the configuration that the containers use, one for each of its lines', () => {
    const options = optionsOfAllJvms(configYaml);
    expect(options).toContain('-Duser.timezone=UTC');
    expect(options).toHaveLength(configYaml.match(/^ {2}(-D|--add-)/gm)?.length ?? 0);
    for (const option of options)
      expect(option).toMatch(/^(-D[\w.]+=\S+|--add-(exports|opens)=[\w.]+\/[\w.]+=ALL-UNNAMED)$/);
  });

  test('end where the block ends', () => {
    expect(
      optionsOfAllJvms('env.java.opts.all: >-\n  -Da=1\n  -Db=2\n\nparallelism.default: 2\n  -Dc=3\n'),
    ).toEqual(['-Da=1', '-Db=2']);
  });

  test('that are not there are an error, not an empty list', () => {
    expect(() => optionsOfAllJvms('parallelism.default: 2\n')).toThrow('env.java.opts.all');
  });
});

function contextOf(environment: Record<string, string> = {}): StackContext {
  const dataDir = temporaryDirectory();
  return {
    config: loadConfig({
      environment: { HOURGLASS_DATA_DIR: dataDir, ...environment },
      envFile: join(dataDir, 'none'),
    }),
    dataDir,
    logDir: dataDir,
    ports: {
      ...{ kafka: 1, flinkRest: 2, flinkGateway: 3, temporal: 4, temporalUi: 5, postgres: 6, mock: 7 },
      ...{ kafkaController: 8, flinkRpc: 9, workerHealth: 10, temporalInternal: [], mockAdmin: 11 },
    },
    parts: {
      ...{ java: '/opt/java', kafkaJars: '/jars/kafka', flinkJars: '/jars/flink', postgres: '/pg' },
      temporal: { kind: 'cli', cli: 'temporal', version: '1.32.1', how: '' },
    },
    secrets: {
      POSTGRES_SUPERUSER_PASSWORD: 'the-superuser-secret',
      POSTGRES_PASSWORD: 'the-owner-secret',
      POSTGRES_PIPELINE_PASSWORD: 'the:pipeline\\secret',
      POSTGRES_READER_PASSWORD: 'the-reader-secret',
    },
  };
}

describe('the Flink processes', () => {
  test('are three JVMs in UTC on the jars that were provisioned', async () => {
    const services = await flinkServices(contextOf());
    expect(services.map(({ name }) => name)).toEqual([
      'flink-jobmanager',
      'flink-taskmanager',
      'flink-gateway',
    ]);
    for (const { command, args } of services) {
      expect(command).toBe('/opt/java');
      expect(args).toContain('-Duser.timezone=UTC');
      expect(args[args.indexOf('-cp') + 1]).toBe('/jars/flink/*');
    }
  });

  test('are as many TaskManagers as are asked for, each with a name and a log of its own', async () => {
    const services = await flinkServices(contextOf({ FLINK_TASK_MANAGERS: '2' }));
    const taskManagers = services.filter(({ name }) => name.startsWith('flink-taskmanager'));
    expect(taskManagers.map(({ name }) => name)).toEqual(['flink-taskmanager', 'flink-taskmanager-2']);
    expect(new Set(taskManagers.map(({ logFile }) => logFile)).size).toBe(2);
    const [first, second] = taskManagers.map(({ command, args }) => [command, ...args]);
    expect(second).toEqual(first);
  });

  test('get the pipeline’s password through a file that only its owner can read, and no secret otherwise', async () => {
    const services = await flinkServices(contextOf({ POSTGRES_PIPELINE_USER: 'writer' }));
    for (const { args, env } of services) {
      expect(JSON.stringify([args, env])).not.toMatch(/secret/);
      const file = env?.['PGPASSFILE'] ?? '';
      expect(readFileSync(file, 'utf8')).toBe('127.0.0.1:6:*:writer:the\\:pipeline\\\\secret\n');
      expect(statSync(file).mode & 0o777).toBe(0o600);
    }
  });

  test('the password file names the server of one’s own when there is one', async () => {
    const [service] = await flinkServices(contextOf({ POSTGRES_HOST: 'db.internal', POSTGRES_PORT: '5433' }));
    expect(readFileSync(service?.env?.['PGPASSFILE'] ?? '', 'utf8')).toMatch(/^db\.internal:5433:\*:/);
  });
});
