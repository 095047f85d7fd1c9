/** The start and health scripts of the containers are run here as they are, with a `java` that only tells what it was given. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { loadConfig, projectRoot } from '../config/load.ts';
import type { StackContext } from '../stack/context.ts';
import { type StackState, writeState } from '../stack/data-dir.ts';
import { flinkServices } from '../stack/flink.ts';
import { kafkaService } from '../stack/kafka.ts';
import { composeOf, readContainerFiles } from './support/containers/files.ts';
import { resolved } from './support/containers/stack-equality.ts';
import { temporaryDirectories } from './support/temporary-directories.ts';

const temporaryDirectory = temporaryDirectories();
const { services } = composeOf(readContainerFiles());

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

interface Ended {
  readonly code: number | null;
  readonly stderr: string;
}

async function run(
  script: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const PATH = [environment['PATH'], process.env['PATH']].filter(Boolean).join(':');
  const child: ChildProcess = spawn(join(projectRoot, 'docker', script), [...args], {
    env: { ...environment, PATH },
  });
  let stderr = '';
  child.stderr?.on('data', (chunk) => (stderr += String(chunk)));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stderr };
}

/** A `java` that writes its arguments and its environment, a line each; the last call is the one that is left. */
function tellingJava(): {
  readonly directory: string;
  readonly told: () => { args: string[]; env: string[] };
} {
  const directory = temporaryDirectory();
  const java = join(directory, 'java');
  writeFileSync(
    java,
    `#!/bin/sh\nprintf '%s\\n' "$@" >'${directory}/args'\nenv >'${directory}/env'\nprintf '%s\\n' "$*" >>'${directory}/calls'\n`,
  );
  chmodSync(java, 0o755);
  const lines = (name: string): string[] => readFileSync(join(directory, name), 'utf8').trim().split('\n');
  return { directory, told: () => ({ args: lines('args'), env: lines('env') }) };
}

function nativeContext(): StackContext {
  const dataDir = temporaryDirectory();
  const environment = { HOURGLASS_DATA_DIR: dataDir };
  return {
    config: loadConfig({ environment, envFile: join(dataDir, 'none') }),
    dataDir,
    logDir: dataDir,
    ports: {
      ...{ kafka: 9092, flinkRest: 8081, flinkGateway: 8083, temporal: 5, temporalUi: 6, postgres: 5432 },
      ...{
        mock: 7,
        mockAdmin: 8,
        kafkaController: 9093,
        flinkRpc: 6123,
        workerHealth: 9,
        temporalInternal: [],
      },
    },
    parts: {
      ...{ java: 'java', kafkaJars: '/opt/kafka/lib', flinkJars: '/opt/flink/lib', postgres: '/pg' },
      temporal: { kind: 'cli', cli: 'temporal', version: '1.32.1', how: '' },
    },
    secrets: {
      POSTGRES_SUPERUSER_PASSWORD: 's',
      POSTGRES_PASSWORD: 'o',
      POSTGRES_PIPELINE_PASSWORD: 'p',
      POSTGRES_READER_PASSWORD: 'r',
    },
  };
}

/** What is a place or an address in an argument is its own on each side: only which one it is may not differ. */
const ADDRESSES = /^-D(jobmanager|taskmanager|rest|sql-gateway)\..*(address|host|port)=/;
const comparable = (args: readonly string[]): string[] =>
  args
    .filter((arg) => !arg.startsWith('-Dtaskmanager.host='))
    .map((arg) =>
      ADDRESSES.test(arg)
        ? arg.replace(/=.*/, '=…')
        : arg.replace(/(^|=)(file:\/\/)?\/\S*?(?=\/[^/]*$|$)/, '$1…'),
    );

const flinkProcesses = ['jobmanager', 'taskmanager', 'gateway'] as const;

describe('docker/flink/start.sh', () => {
  const startFlink = async (process: string, more: Readonly<Record<string, string>> = {}) => {
    const java = tellingJava();
    const home = temporaryDirectory();
    const [tmp, conf] = [join(home, 'tmp'), join(home, 'conf')];
    mkdirSync(tmp);
    cpSync(join(projectRoot, 'docker/flink'), conf, { recursive: true });
    const environment = {
      ...resolved(services[`flink-${process}`] ?? {}),
      ...{ PATH: java.directory, TMPDIR: tmp, FLINK_CONF_DIR: conf },
      ...more,
    };
    return { ended: await run('flink/start.sh', [process], environment), tmp, told: java.told };
  };

  test.each(flinkProcesses)('starts the %s as the native stack does', async (process) => {
    const { ended, told } = await startFlink(process);
    expect(ended).toEqual({ code: 0, stderr: '' });
    const native = (await flinkServices(nativeContext())).find(({ name }) => name === `flink-${process}`);
    expect(comparable(told().args)).toEqual(comparable(native?.args ?? []));
  });

  test('a changed heap, setting or main class is seen', async () => {
    const { told } = await startFlink('taskmanager');
    const native = (await flinkServices(nativeContext()))[1]?.args ?? [];
    for (const part of ['-Xmn600m', '-XX:+UseParallelGC', '-Duser.timezone=UTC', '-Drest.port=8081'])
      expect(comparable(told().args.filter((arg) => arg !== part))).not.toEqual(comparable(native));
  });

  test.each(flinkProcesses)('the command of the compose file is what it takes: %s', (process) => {
    expect(services[`flink-${process}`]?.command).toEqual([process]);
  });

  test('keeps the password in a file of its own, away from the arguments and the environment of Flink', async () => {
    const { told, tmp } = await startFlink('taskmanager', {
      POSTGRES_PIPELINE_PASSWORD: 'the:pipeline\\secret',
    });
    const file = join(tmp, 'pgpass');
    expect(readFileSync(file, 'utf8')).toBe('postgres:5432:*:hourglass_pipeline:the\\:pipeline\\\\secret\n');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const { args, env } = told();
    expect([...args, ...env].join('\n')).not.toContain('secret');
    expect(env).toContain(`PGPASSFILE=${file}`);
  });

  test('refuses what it does not know, and settings without the options of all JVMs, in one sentence', async () => {
    const unknown = await startFlink('historyserver');
    expect(unknown.ended.code).toBe(2);
    expect(unknown.ended.stderr).toMatch(/^start\.sh: "historyserver" is none of .*\n$/);
    const conf = temporaryDirectory();
    writeFileSync(join(conf, 'config.yaml'), 'parallelism.default: 2\n');
    const without = await startFlink('gateway', { FLINK_CONF_DIR: conf });
    expect(without.ended.code).toBe(2);
    expect(without.ended.stderr).toMatch(/^start\.sh: .* has no env\.java\.opts\.all: mount .*\n$/);
  });
});

describe('docker/kafka/start.sh', () => {
  const startKafka = async (data: string) => {
    const java = tellingJava();
    const environment = { ...resolved(services['kafka'] ?? {}), PATH: java.directory };
    const settings = { KAFKA_DATA: data, KAFKA_SETTINGS: join(projectRoot, 'docker/kafka') };
    const ended = await run('kafka/start.sh', [], { ...environment, ...settings });
    const calls = readFileSync(join(java.directory, 'calls'), 'utf8').trim().split('\n');
    return { ended, calls, args: java.told().args };
  };

  const formatted = (data: string): void => {
    mkdirSync(join(data, 'logs'), { recursive: true });
    writeFileSync(join(data, 'logs/meta.properties'), '');
  };

  test('starts the broker as the native stack does', async () => {
    const data = temporaryDirectory();
    formatted(data);
    const { ended, args } = await startKafka(data);
    expect(ended).toEqual({ code: 0, stderr: '' });
    const context = nativeContext();
    formatted(join(context.dataDir, 'kafka'));
    const native = await kafkaService(context);
    expect(comparable(args)).toEqual(comparable(native.args));
    expect(comparable(args.filter((arg) => arg !== '-Xmx512m'))).not.toEqual(comparable(native.args));
  });

  test('adds to the shared settings only what a container knows', async () => {
    const data = temporaryDirectory();
    formatted(data);
    await startKafka(data);
    const shared = readFileSync(join(projectRoot, 'docker/kafka/server.properties'), 'utf8');
    const written = readFileSync(join(data, 'server.properties'), 'utf8');
    expect(written.startsWith(shared)).toBe(true);
    expect(written.slice(shared.length).trim().split('\n')).toEqual([
      'listeners=PLAINTEXT://:19092,HOST://:9092,CONTROLLER://127.0.0.1:9093',
      'advertised.listeners=PLAINTEXT://kafka:19092,HOST://127.0.0.1:9092',
      'listener.security.protocol.map=PLAINTEXT:PLAINTEXT,HOST:PLAINTEXT,CONTROLLER:PLAINTEXT',
      'controller.quorum.voters=1@127.0.0.1:9093',
      `log.dirs=${data}/logs`,
    ]);
  });

  test('formats an empty directory first, under an id in the form of Kafka', async () => {
    const { calls } = await startKafka(temporaryDirectory());
    expect(calls).toHaveLength(2);
    expect(calls[0]).toMatch(/ kafka\.tools\.StorageTool format --config \S+ --cluster-id H[\w-]{20}w$/);
    expect(calls[1]).toMatch(/ kafka\.Kafka \S+$/);
  });
});

async function listening(server: Server): Promise<string> {
  servers.push(server.listen(0, '127.0.0.1'));
  await once(server, 'listening');
  return String((server.address() as AddressInfo).port);
}

describe('the health checks', () => {
  const ask = async (status: number, body: string, ...pattern: string[]): Promise<number | null> => {
    const server = createHttpServer((request, response) => {
      response.writeHead(request.url === '/overview' ? status : 404).end(body);
    });
    return (await run('flink/healthy.sh', ['127.0.0.1', await listening(server), '/overview', ...pattern]))
      .code;
  };

  test('of Flink pass with 200 and the pattern, and with nothing else', async () => {
    const registered = '"taskmanagers":[1-9]';
    expect(await ask(200, '{"taskmanagers":2}', registered)).toBe(0);
    expect(await ask(200, '{}')).toBe(0);
    expect(await ask(200, '{"taskmanagers":0}', registered)).toBe(1);
    expect(await ask(503, '{"taskmanagers":2}', registered)).toBe(1);
    const port = await listening(createServer());
    servers.pop()?.close();
    expect((await run('flink/healthy.sh', ['127.0.0.1', port, '/overview'])).code).toBe(1);
  });

  test('of Kafka passes when the question is answered under its own number', async () => {
    const answers = async (bytes: readonly number[]): Promise<number | null> => {
      const server = createServer((socket) => {
        // The question comes in two pieces, and whoever asks does not wait for the end of the answer.
        socket.on('error', () => undefined);
        let asked = 0;
        socket.on('data', (piece) => {
          asked += piece.length;
          if (asked === 14) socket.end(Buffer.from(bytes));
        });
      });
      return (await run('kafka/healthy.sh', [await listening(server)])).code;
    };
    expect(await answers([0, 0, 0, 6, 0, 0, 0, 1, 0, 0])).toBe(0);
    expect(await answers([0, 0, 0, 6, 0, 0, 0, 2, 0, 0])).toBe(1);
    expect(await answers([])).toBe(1);
  });

  test('of the workers passes when the supervisor says that rows can flow', async () => {
    const [, ...command] = services['workers']?.healthcheck?.test ?? [];
    expect(command.at(-1)).toBe(`${services['workers']?.environment?.['HOURGLASS_DATA_DIR']}/state.json`);
    const directory = temporaryDirectory();
    const passes = async (phase: StackState['phase']): Promise<boolean> => {
      const supervisor = { pid: 1, startedAt: '1' };
      writeState(directory, { supervisor, phase, source: 'mock', startedAt: '', urls: {}, services: [] });
      const child = spawn(command[0] ?? '', [...command.slice(1, -1), join(directory, 'state.json')]);
      return ((await once(child, 'close')) as [number])[0] === 0;
    };
    expect(await passes('ready')).toBe(true);
    expect(await passes('starting')).toBe(false);
    expect(await passes('stopping')).toBe(false);
  });
});
