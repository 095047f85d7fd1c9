/** The Kafka broker of the native stack: KRaft, one node, its own controller. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { projectRoot } from '../config/load.ts';
import { LOOPBACK, type StackContext } from './context.ts';
import { run } from './provision/run.ts';
import type { ServiceSpec } from './supervisor.ts';

export async function kafkaService({ parts, ports, dataDir, logDir }: StackContext): Promise<ServiceSpec> {
  const home = join(dataDir, 'kafka');
  const logs = join(home, 'logs');
  await mkdir(logs, { recursive: true });
  const properties = join(home, 'server.properties');
  const shared = await readFile(join(projectRoot, 'docker/kafka/server.properties'), 'utf8');
  const own = [
    `listeners=PLAINTEXT://${LOOPBACK}:${ports.kafka},CONTROLLER://${LOOPBACK}:${ports.kafkaController}`,
    `controller.quorum.voters=1@${LOOPBACK}:${ports.kafkaController}`,
    `log.dirs=${logs}`,
  ];
  await writeFile(properties, `${shared}\n${own.join('\n')}\n`);
  const java = [
    `-Dlog4j2.configurationFile=${join(projectRoot, 'docker/kafka/log4j2.properties')}`,
    '-Duser.timezone=UTC',
    '-cp',
    `${parts.kafkaJars}/*`,
  ];
  if (!existsSync(join(logs, 'meta.properties'))) {
    await run(parts.java, [
      ...java,
      'kafka.tools.StorageTool',
      'format',
      '--config',
      properties,
      '--cluster-id',
      newClusterId(),
    ]);
  }
  const client = new Kafka({
    brokers: [`${LOOPBACK}:${ports.kafka}`],
    logLevel: logLevel.NOTHING,
    retry: { retries: 0 },
  });
  return {
    name: 'kafka',
    command: parts.java,
    args: [
      '-Xms128m',
      '-Xmx512m',
      '-XX:+UseG1GC',
      '-XX:+ExitOnOutOfMemoryError',
      ...java,
      'kafka.Kafka',
      properties,
    ],
    logFile: join(logDir, 'kafka.log'),
    stopTimeoutMs: 30_000,
    ready: async () => {
      const admin = client.admin();
      try {
        await admin.connect();
        await admin.describeCluster();
      } finally {
        await admin.disconnect();
      }
    },
  };
}

/** Kafka's own form of a UUID; one that begins with a hyphen would be read as an option. */
function newClusterId(): string {
  const id = randomBytes(16).toString('base64url');
  return id.startsWith('-') ? newClusterId() : id;
}
