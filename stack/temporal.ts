/** The Temporal server and Web UI of the native stack: one program or two, the same settings, data in one SQLite file. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { projectRoot } from '../config/load.ts';
import { LOOPBACK, type StackContext } from './context.ts';
import { expectOk } from './probe.ts';
import type { ServiceSpec } from './supervisor.ts';

/** gRPC and membership ports of four services, but for the frontend's gRPC port, which is the one users know. */
export const TEMPORAL_INTERNAL_PORTS = 7;

/** Two services when server and UI are separate programs, one when the command-line tool brings both. */
export async function temporalServices(context: StackContext): Promise<readonly ServiceSpec[]> {
  const home = join(context.dataDir, 'temporal');
  await mkdir(home, { recursive: true });
  const { temporal } = context.parts;
  // A server of another version cannot read the file: it begins its own. Schedules are declared anew at each start, and the
  // actors go on from what PostgreSQL has on record.
  const [major, minor] = temporal.version.split('.');
  const database = join(home, `temporal-${major}.${minor}.db`);
  return temporal.kind === 'cli'
    ? [devServer(context, temporal.cli, database)]
    : [server(context, temporal.server, database), webUi(context, temporal.ui)];
}

const dynamicConfig = join(projectRoot, 'docker/temporal/dynamic-config.yaml');

function devServer({ ports, logDir }: StackContext, cli: string, database: string): ServiceSpec {
  return {
    name: 'temporal',
    command: cli,
    args: [
      ...['server', 'start-dev', '--headless=false', '--log-level', 'warn', '--db-filename', database],
      ...[
        '--ip',
        LOOPBACK,
        '--port',
        String(ports.temporal),
        '--ui-ip',
        LOOPBACK,
        '--ui-port',
        String(ports.temporalUi),
      ],
      ...devServerSettings.flatMap((setting) => ['--dynamic-config-value', setting]),
    ],
    logFile: join(logDir, 'temporal.log'),
    stopTimeoutMs: 20_000,
    ready: () => serverAnswers(ports.temporal),
  };
}

/** The same as docker/temporal/dynamic-config.yaml (a test compares them): this program takes no such file. */
export const devServerSettings = [
  'matching.enableFairness=true',
  'matching.numTaskqueueWritePartitions=1',
  'matching.wv.VersionDrainageStatusVisibilityGracePeriod="5s"',
  'matching.wv.VersionDrainageStatusRefreshInterval="5s"',
] as const;

function server({ ports, logDir, dataDir }: StackContext, program: string, database: string): ServiceSpec {
  const [
    frontendMembership,
    matching,
    matchingMembership,
    history,
    historyMembership,
    worker,
    workerMembership,
  ] = ports.temporalInternal;
  return {
    name: 'temporal',
    command: program,
    args: ['--config-file', join(projectRoot, 'docker/temporal/server.yaml'), '--allow-no-auth', 'start'],
    env: {
      TEMPORAL_DATABASE_FILE: database,
      TEMPORAL_DYNAMIC_CONFIG_FILE: dynamicConfig,
      TEMPORAL_PORT: String(ports.temporal),
      TEMPORAL_FRONTEND_MEMBERSHIP_PORT: String(frontendMembership),
      TEMPORAL_MATCHING_PORT: String(matching),
      TEMPORAL_MATCHING_MEMBERSHIP_PORT: String(matchingMembership),
      TEMPORAL_HISTORY_PORT: String(history),
      TEMPORAL_HISTORY_MEMBERSHIP_PORT: String(historyMembership),
      TEMPORAL_WORKER_PORT: String(worker),
      TEMPORAL_WORKER_MEMBERSHIP_PORT: String(workerMembership),
    },
    cwd: join(dataDir, 'temporal'),
    logFile: join(logDir, 'temporal.log'),
    stopTimeoutMs: 20_000,
    ready: () => serverAnswers(ports.temporal),
  };
}

function webUi({ config, ports, logDir }: StackContext, program: string): ServiceSpec {
  return {
    name: 'temporal-ui',
    command: program,
    args: ['--root', projectRoot, '--config', 'docker/temporal', '--env', 'ui', 'start'],
    env: {
      TEMPORAL_UI_PORT: String(ports.temporalUi),
      TEMPORAL_ADDRESS: `${LOOPBACK}:${ports.temporal}`,
      TEMPORAL_DEFAULT_NAMESPACE: config.values.TEMPORAL_NAMESPACE,
    },
    logFile: join(logDir, 'temporal-ui.log'),
    ready: async () => void (await expectOk(`http://${LOOPBACK}:${ports.temporalUi}/healthz`)),
  };
}

async function serverAnswers(port: number): Promise<void> {
  const connection = await Connection.connect({ address: `${LOOPBACK}:${port}`, connectTimeout: '2s' });
  await connection.close();
}
