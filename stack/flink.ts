/** The Flink session cluster of the native stack: JobManager, TaskManagers and SQL Gateway, each a JVM of its own, in UTC. */
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectRoot } from '../config/load.ts';
import { pipelinesNamed } from '../pipelines/index.ts';
import type { PipelineDefinition } from '../schemas/pipeline.ts';
import { LOOPBACK, type StackContext } from './context.ts';
import { expectOk } from './probe.ts';
import type { ServiceSpec } from './supervisor.ts';

const MAIN = {
  jobmanager: 'org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint',
  taskmanager: 'org.apache.flink.runtime.taskexecutor.TaskManagerRunner',
  gateway: 'org.apache.flink.table.gateway.SqlGateway',
} as const;

/** Heaps of the JVMs whose memory Flink's own settings do not decide when they are started without its scripts. */
const HEAP = {
  jobmanager: ['-Xmx384m'],
  // Half of it for what is young: rows that wait for a flush are then collected seldom, instead of copied again and again.
  taskmanager: ['-Xmx1152m', '-Xmn600m'],
  gateway: ['-Xmx384m'],
} as const;

/** A JVM that starts beside seven others may take seconds for its first answer. */
const ask = (url: string): Promise<Response> => expectOk(url, 5_000);

export async function flinkServices(context: StackContext): Promise<readonly ServiceSpec[]> {
  const { config, ports, parts, dataDir, logDir } = context;
  const home = join(dataDir, 'flink');
  const conf = join(home, 'conf');
  await mkdir(conf, { recursive: true });
  const tmp = join(home, 'tmp');
  await mkdir(tmp, { recursive: true });
  for (const file of ['config.yaml', 'log4j2.properties'])
    await copyFile(join(projectRoot, 'docker/flink', file), join(conf, file));
  const passFile = await writePassFile(context, home);
  const jvmOptions = optionsOfAllJvms(await readFile(join(conf, 'config.yaml'), 'utf8'));
  const settings = {
    'jobmanager.rpc.address': LOOPBACK,
    'jobmanager.rpc.port': ports.flinkRpc,
    'jobmanager.bind-host': LOOPBACK,
    'taskmanager.host': LOOPBACK,
    'taskmanager.bind-host': LOOPBACK,
    'rest.address': LOOPBACK,
    'rest.bind-address': LOOPBACK,
    'rest.port': ports.flinkRest,
    'rest.bind-port': ports.flinkRest,
    'sql-gateway.endpoint.rest.address': LOOPBACK,
    'sql-gateway.endpoint.rest.bind-address': LOOPBACK,
    'sql-gateway.endpoint.rest.port': ports.flinkGateway,
    // Without it the gateway would bind the port of `rest.bind-port`, which is the JobManager's.
    'sql-gateway.endpoint.rest.bind-port': ports.flinkGateway,
    'execution.checkpointing.dir': `file://${home}/checkpoints`,
    'execution.checkpointing.savepoint-dir': `file://${home}/savepoints`,
    ...roomFor(pipelinesNamed(config.values.PIPELINES)),
    'io.tmp.dirs': tmp,
    'web.tmpdir': tmp,
    'blob.storage.directory': tmp,
  };
  const dynamic = Object.entries(settings).map(([key, value]) => `-D${key}=${value}`);
  const process = (
    name: keyof typeof MAIN,
    mainArgs: readonly string[],
    ready: () => Promise<void>,
    service = `flink-${name}`,
  ): ServiceSpec => ({
    name: service,
    command: parts.java,
    args: [
      ...HEAP[name],
      '-XX:+UseParallelGC',
      '-XX:+ExitOnOutOfMemoryError',
      `-Djava.io.tmpdir=${tmp}`,
      `-Dlog4j2.configurationFile=${join(conf, 'log4j2.properties')}`,
      ...jvmOptions,
      '-cp',
      `${parts.flinkJars}/*`,
      MAIN[name],
      ...mainArgs,
    ],
    env: { FLINK_CONF_DIR: conf, PGPASSFILE: passFile },
    cwd: home,
    logFile: join(logDir, `${service}.log`),
    ready,
  });
  const rest = `http://${LOOPBACK}:${ports.flinkRest}`;
  const numbers = Array.from({ length: config.values.FLINK_TASK_MANAGERS }, (_, index) => index + 1);
  const taskManagers = numbers.map((number) => {
    const registered = async (): Promise<void> => {
      const { taskmanagers } = (await (await ask(`${rest}/overview`)).json()) as { taskmanagers: number };
      if (taskmanagers < number) throw new Error(`TaskManager ${number} is not registered yet`);
    };
    const service = number === 1 ? 'flink-taskmanager' : `flink-taskmanager-${number}`;
    return process('taskmanager', ['-c', conf, ...dynamic], registered, service);
  });
  return [
    process('jobmanager', ['-c', conf, ...dynamic], async () => void (await ask(`${rest}/overview`))),
    ...taskManagers,
    process(
      'gateway',
      dynamic,
      async () => void (await ask(`http://${LOOPBACK}:${ports.flinkGateway}/info`)),
    ),
  ];
}

/** Slots of a batch job beside the streams. */
const BATCH_SLOTS = 2;
/** What each slot adds to the TaskManager's memory; a stream and a batch job of two have what `config.yaml` says. */
const SLOT = { managedMb: 32, networkMb: 16 } as const;

const slotsFor = (pipelines: readonly Pick<PipelineDefinition, 'job'>[]): number =>
  BATCH_SLOTS + pipelines.reduce((sum, { job }) => sum + job.parallelism, 0);

/** A slot for each part of each stream, and those of a batch job; what the slots share grows with them. */
export function roomFor(pipelines: readonly Pick<PipelineDefinition, 'job'>[]): Record<string, string> {
  const slots = slotsFor(pipelines);
  const network = `${slots * SLOT.networkMb}m`;
  return {
    'taskmanager.numberOfTaskSlots': String(slots),
    'taskmanager.memory.managed.size': `${slots * SLOT.managedMb}m`,
    'taskmanager.memory.network.min': network,
    'taskmanager.memory.network.max': network,
  };
}

/** Of `config.yaml`: off the heap for tasks and framework, metaspace, overhead. */
const TASK_MANAGER_FIXED_MB = 32 + 64 + 256 + 128;

/** Megabytes that its settings let a TaskManager take under load. */
export function mostOfTaskManagerMb(pipelines: readonly Pick<PipelineDefinition, 'job'>[]): number {
  const heap = Number(/\d+/.exec(HEAP.taskmanager[0])?.[0]);
  return heap + TASK_MANAGER_FIXED_MB + slotsFor(pipelines) * (SLOT.managedMb + SLOT.networkMb);
}

/**
 * The password reaches the JDBC driver through its own password file, so that it stands in no SQL text: what Flink never
 * gets to see it cannot show on a page, in a plan or in a log.
 */
async function writePassFile({ config, ports, secrets }: StackContext, home: string): Promise<string> {
  const file = join(home, 'pgpass');
  const escaped = (text: string): string => text.replace(/[\\:]/g, '\\$&');
  const { POSTGRES_HOST, POSTGRES_PORT, POSTGRES_PIPELINE_USER } = config.values;
  const [host, port] =
    POSTGRES_HOST === undefined ? [LOOPBACK, ports.postgres] : [POSTGRES_HOST, POSTGRES_PORT];
  const line = [host, port, '*', POSTGRES_PIPELINE_USER, secrets.POSTGRES_PIPELINE_PASSWORD].map((part) =>
    part === '*' ? '*' : escaped(String(part)),
  );
  await writeFile(file, `${line.join(':')}\n`, { mode: 0o600 });
  return file;
}

/** `env.java.opts.all` of the shared configuration: Flink's start scripts read it, and so must whoever does without them. */
export function optionsOfAllJvms(configYaml: string): string[] {
  const block = /^env\.java\.opts\.all: >-\n((?: {2}.*\n)+)/m.exec(configYaml)?.[1];
  if (block === undefined) throw new Error('docker/flink/config.yaml has no env.java.opts.all');
  return block
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}
