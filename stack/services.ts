/** Starts and stops the services of the native stack on one data directory, and tells everybody their addresses. */
import { join } from 'node:path';
import type { VariableName } from '../config/environment.ts';
import type { Config } from '../config/load.ts';
import { type InternalPorts, isNative, LOOPBACK, type StackContext, type StackPorts } from './context.ts';
import {
  endLeftovers,
  ensureSecrets,
  expectSecrets,
  ownIdentity,
  readInternalPorts,
  removeState,
  type StackState,
  takeDataDir,
  writeAddresses,
  writeInternalPorts,
  writeState,
} from './data-dir.ts';
import { flinkServices } from './flink.ts';
import { kafkaService } from './kafka.ts';
import { availableMbHere, memoryNeed, memoryWarning } from './memory.ts';
import { mockService } from './mock.ts';
import { createPortChooser, type PortChooser, type WantedPort } from './ports.ts';
import { postgresService } from './postgres.ts';
import { InterruptedError, type Progress } from './progress.ts';
import { provision } from './provision.ts';
import { writeScrapeTargets } from './scrape-targets.ts';
import { type ServiceSpec, type ServiceStatus, SupervisedService } from './supervisor.ts';
import { TEMPORAL_INTERNAL_PORTS, temporalServices } from './temporal.ts';

export interface RunningServices {
  readonly context: StackContext;
  /** The environment in which workers and commands find these services. */
  readonly addresses: Readonly<Record<string, string>>;
  /** Starts another service beside them, a worker for example, and keeps it alive. */
  add(spec: ServiceSpec): Promise<SupervisedService>;
  remove(service: SupervisedService): Promise<void>;
  /** The service of that name, for whoever replaces it by another. */
  find(name: string): SupervisedService | undefined;
  statuses(): readonly ServiceStatus[];
  markReady(): void;
  /** Stops everything in the order opposite to that of the start. A second call waits for the first. */
  stop(progress: Progress): Promise<void>;
}

/** @throws AlreadyRunningError, SourceMismatchError, PortInUseError, MissingPasswordError, PrerequisiteError, ProvisionError, ServiceStartError */
export async function startServices(config: Config, progress: Progress): Promise<RunningServices> {
  const { dataDir, values } = config;
  const leftovers = await takeDataDir(dataDir, values.WEATHER_SOURCE);
  if (leftovers.length > 0) {
    await progress.step('Leftovers', async () => {
      await endLeftovers(leftovers);
      return `ended ${leftovers.length} processes of a stack that was killed`;
    });
  }
  const tooLittle = memoryWarning(memoryNeed(config), availableMbHere());
  if (tooLittle !== undefined) progress.note('Memory', tooLittle);
  const services: SupervisedService[] = [];
  // However this process ends, it leaves none of them behind.
  process.once('exit', () => {
    for (const service of services) service.kill();
  });
  let state: StackState = {
    supervisor: await ownIdentity(),
    phase: 'starting',
    source: values.WEATHER_SOURCE,
    startedAt: new Date().toISOString(),
    urls: {},
    services: [],
  };
  const save = (change: Partial<StackState> = {}): void => {
    state = { ...state, ...change, services: services.map((service) => service.status()) };
    writeState(dataDir, state);
    writeScrapeTargets(dataDir, services);
  };
  save();
  let stopped: Promise<void> | undefined;
  const stop = (how: Progress): Promise<void> => {
    stopped ??= (async () => {
      save({ phase: 'stopping' });
      for (const group of groupsForStop(services)) {
        await Promise.all(
          group.map((service) => how.step(`Stop ${service.spec.name}`, () => service.stop())),
        );
      }
      removeState(dataDir);
    })();
    return stopped;
  };
  const add = async (spec: ServiceSpec): Promise<SupervisedService> => {
    // Nobody would stop it.
    if (stopped !== undefined) throw new InterruptedError();
    const service = new SupervisedService(spec, () => save());
    services.push(service);
    await service.start();
    return service;
  };
  try {
    const secrets = secretsOf(config);
    const ports = await choosePorts(config);
    const parts = await provision(config, progress);
    const context: StackContext = { config, dataDir, logDir: join(dataDir, 'logs'), ports, parts, secrets };
    const specs = await neededServices(context, progress);
    // The first failure ends the start: nobody waits two minutes for what waits for the one that failed.
    await Promise.all(specs.map((spec) => progress.step(`Start ${spec.name}`, () => add(spec))));
    const addresses = addressesOf(context);
    writeAddresses(dataDir, addresses);
    save({ urls: urlsOf(context) });
    return {
      context,
      addresses,
      add,
      async remove(service) {
        await service.stop();
        // Whoever asked for the same meanwhile has removed it already.
        if (services.includes(service)) services.splice(services.indexOf(service), 1);
        save();
      },
      find: (name) => services.find(({ spec }) => spec.name === name),
      statuses: () => services.map((service) => service.status()),
      markReady: () => save({ phase: 'ready' }),
      stop,
    };
  } catch (error) {
    await stop(progress.uninterrupted);
    throw error;
  }
}

async function neededServices(context: StackContext, progress: Progress): Promise<readonly ServiceSpec[]> {
  const { config } = context;
  return [
    ...(isNative(config, 'POSTGRES_HOST')
      ? [await postgresService(context, (text) => progress.note('PostgreSQL', text))]
      : []),
    ...(isNative(config, 'KAFKA_BROKERS') ? [await kafkaService(context)] : []),
    ...(isNative(config, 'TEMPORAL_ADDRESS') ? await temporalServices(context) : []),
    ...(isNative(config, 'FLINK_REST_URL') ? await flinkServices(context) : []),
    ...(usesOwnMock(config) ? [mockService(context)] : []),
  ];
}

const usesOwnMock = (config: Config): boolean =>
  config.values.WEATHER_SOURCE === 'mock' && isNative(config, 'OPENWEATHERMAP_BASE_URL');

type PublicPort = Exclude<keyof StackPorts, keyof InternalPorts>;

interface PublicPortFacts {
  readonly service: string;
  readonly variable: VariableName;
  /** Set when somebody else runs the service: then the port is not ours to choose. */
  readonly address: VariableName;
}

const PUBLIC_PORTS: Readonly<Record<PublicPort, PublicPortFacts>> = {
  postgres: { service: 'PostgreSQL', variable: 'POSTGRES_PORT', address: 'POSTGRES_HOST' },
  kafka: { service: 'Kafka', variable: 'KAFKA_PORT', address: 'KAFKA_BROKERS' },
  temporal: { service: 'Temporal', variable: 'TEMPORAL_PORT', address: 'TEMPORAL_ADDRESS' },
  temporalUi: { service: "Temporal's Web UI", variable: 'TEMPORAL_UI_PORT', address: 'TEMPORAL_ADDRESS' },
  flinkRest: { service: "Flink's REST API", variable: 'FLINK_REST_PORT', address: 'FLINK_REST_URL' },
  flinkGateway: {
    service: "Flink's SQL Gateway",
    variable: 'FLINK_GATEWAY_PORT',
    address: 'FLINK_GATEWAY_URL',
  },
  mock: { service: 'the mock', variable: 'MOCK_PORT', address: 'OPENWEATHERMAP_BASE_URL' },
  mockAdmin: {
    service: "the mock's admin",
    variable: 'MOCK_ADMIN_PORT',
    address: 'OPENWEATHERMAP_BASE_URL',
  },
};

const wantedPort = ({ values, origins }: Config, { service, variable }: PublicPortFacts): WantedPort => ({
  service,
  variable,
  port: values[variable] as number,
  explicit: origins[variable] !== 'default',
});

/** The ports that a start would take, or move where they are not explicit. */
export const wantedPorts = (config: Config): readonly WantedPort[] =>
  Object.values(PUBLIC_PORTS)
    .filter(({ address }) => isNative(config, address))
    .map((facts) => wantedPort(config, facts));

async function choosePorts(config: Config): Promise<StackPorts> {
  const chooser = createPortChooser();
  const chosen: Partial<Record<PublicPort, number>> = {};
  for (const [name, facts] of Object.entries(PUBLIC_PORTS)) {
    const wanted = wantedPort(config, facts);
    chosen[name as PublicPort] = isNative(config, facts.address) ? await chooser.choose(wanted) : wanted.port;
  }
  return {
    ...(chosen as Record<PublicPort, number>),
    ...(await chooseInternalPorts(chooser, config)),
  };
}

/**
 * The same as last time where they are free: Temporal's file remembers the addresses of its services, and a server that
 * comes back at others waits half a minute for those that are gone.
 */
async function chooseInternalPorts(
  chooser: PortChooser,
  { dataDir, values }: Config,
): Promise<InternalPorts> {
  const before = readInternalPorts(dataDir);
  const ports: InternalPorts = {
    kafkaController: await chooser.internal(before?.kafkaController),
    flinkRpc: await chooser.internal(before?.flinkRpc),
    workerHealth: await chooser.internal(values.WORKER_HEALTH_PORT ?? before?.workerHealth),
    temporalInternal: await Promise.all(
      Array.from({ length: TEMPORAL_INTERNAL_PORTS }, (_, index) =>
        chooser.internal(before?.temporalInternal[index]),
      ),
    ),
  };
  writeInternalPorts(dataDir, ports);
  return ports;
}

/** @throws MissingPasswordError */
function secretsOf(config: Config): StackContext['secrets'] {
  const { dataDir } = config;
  const given = definedSecrets(config);
  if (isNative(config, 'POSTGRES_HOST')) return ensureSecrets(dataDir, given);
  // A Flink of somebody else has the pipeline's password itself.
  const ofFlink = isNative(config, 'FLINK_REST_URL') ? (['POSTGRES_PIPELINE_PASSWORD'] as const) : [];
  return expectSecrets(dataDir, given, ['POSTGRES_PASSWORD', ...ofFlink]);
}

function definedSecrets({ values }: Config): Partial<StackContext['secrets']> {
  const { POSTGRES_PASSWORD, POSTGRES_PIPELINE_PASSWORD, POSTGRES_READER_PASSWORD } = values;
  return {
    ...(POSTGRES_PASSWORD === undefined ? {} : { POSTGRES_PASSWORD }),
    ...(POSTGRES_PIPELINE_PASSWORD === undefined ? {} : { POSTGRES_PIPELINE_PASSWORD }),
    ...(POSTGRES_READER_PASSWORD === undefined ? {} : { POSTGRES_READER_PASSWORD }),
  };
}

function addressesOf({ config, ports, dataDir }: StackContext): Record<string, string> {
  const own: readonly (readonly [VariableName, string])[] = [
    ['POSTGRES_HOST', LOOPBACK],
    ['KAFKA_BROKERS', `${LOOPBACK}:${ports.kafka}`],
    ['TEMPORAL_ADDRESS', `${LOOPBACK}:${ports.temporal}`],
    ['FLINK_REST_URL', `http://${LOOPBACK}:${ports.flinkRest}`],
    ['FLINK_GATEWAY_URL', `http://${LOOPBACK}:${ports.flinkGateway}`],
    ['FLINK_CHECKPOINT_DIR', `file://${dataDir}/flink/checkpoints`],
    ...(usesOwnMock(config)
      ? ([
          ['OPENWEATHERMAP_BASE_URL', `http://${LOOPBACK}:${ports.mock}`],
          ['OPENWEATHERMAP_HISTORY_URL', `http://${LOOPBACK}:${ports.mock}`],
        ] as const)
      : []),
  ];
  const moved: readonly (readonly [VariableName, string])[] = [
    ['POSTGRES_PORT', String(ports.postgres)],
    ['KAFKA_PORT', String(ports.kafka)],
    ['FLINK_REST_PORT', String(ports.flinkRest)],
    ['FLINK_GATEWAY_PORT', String(ports.flinkGateway)],
    ['TEMPORAL_PORT', String(ports.temporal)],
    ['TEMPORAL_UI_PORT', String(ports.temporalUi)],
    ['MOCK_PORT', String(ports.mock)],
    ['MOCK_ADMIN_PORT', String(ports.mockAdmin)],
  ];
  return Object.fromEntries([...own.filter(([name]) => isNative(config, name)), ...moved]);
}

function urlsOf({ config, ports }: StackContext): Record<string, string> {
  const { values } = config;
  const postgres = `postgresql://${values.POSTGRES_USER}@${values.POSTGRES_HOST ?? LOOPBACK}:${ports.postgres}/${values.POSTGRES_DATABASE}`;
  return {
    ...(isNative(config, 'TEMPORAL_ADDRESS')
      ? {
          'Temporal UI': `http://${LOOPBACK}:${ports.temporalUi}/namespaces/${values.TEMPORAL_NAMESPACE}/workflows`,
        }
      : {}),
    Flink: values.FLINK_REST_URL ?? `http://${LOOPBACK}:${ports.flinkRest}`,
    PostgreSQL: postgres,
    Kafka: values.KAFKA_BROKERS?.join(',') ?? `${LOOPBACK}:${ports.kafka}`,
    ...(usesOwnMock(config)
      ? {
          Mock: `http://${LOOPBACK}:${ports.mock}`,
          'Mock admin': `http://${LOOPBACK}:${ports.mockAdmin}`,
        }
      : {}),
  };
}

/** Workers first, so that nothing is asked any more; what the others store into last. */
const STOP_ORDER = [
  /^worker/,
  /^flink-(gateway|taskmanager)$/,
  /^(flink-jobmanager|mock|temporal-ui)$/,
  /^(kafka|temporal)$/,
  /^postgres$/,
] as const;

function groupsForStop(services: readonly SupervisedService[]): readonly (readonly SupervisedService[])[] {
  return STOP_ORDER.map((names) => services.filter(({ spec }) => names.test(spec.name)));
}
