/** What every container must be: pinned, without privilege, watched, restarted, in UTC, reachable from this machine alone. */
import { parse } from 'yaml';
import {
  COMPOSE,
  COMPOSE_OF_CHECKOUT,
  composeOf,
  dockerfileOf,
  fileOf,
  type Mount,
  type Service,
  type Texts,
} from './files.ts';

/** Ends when it has done its work. */
const ONE_SHOT = 'migrations';
const PROFILES = ['core', 'tools'];

type Rule = (service: Service, name: string) => string | undefined;

const rules: readonly Rule[] = [
  ({ image = '' }) =>
    /:v?\d+\.\d+(\.\d+)?[\w.-]*$/.test(image) ? undefined : `its image "${image}" is not pinned to a version`,
  ({ user }) =>
    user === undefined || /^(root|0)(:|$)/.test(user)
      ? 'it runs as root, or does not say as whom'
      : undefined,
  ({ restart = '' }, name) =>
    restart === 'unless-stopped' || (name === ONE_SHOT && restart.startsWith('on-failure'))
      ? undefined
      : `it is not started again when it dies (restart: ${restart})`,
  ({ healthcheck }, name) =>
    name === ONE_SHOT || healthcheck?.test[0] === 'CMD' ? undefined : 'it has no health check',
  ({ environment }) => (environment?.['TZ'] === 'UTC' ? undefined : 'it is not in UTC'),
  ({ cap_drop }) => (cap_drop?.includes('ALL') ? undefined : 'it keeps capabilities'),
  ({ security_opt }) =>
    security_opt?.includes('no-new-privileges:true') ? undefined : 'it may gain privileges',
  ({ init }) => (init === true ? undefined : 'nobody forwards signals and reaps children in it'),
  ({ profiles = [] }) =>
    profiles.length === 1 && PROFILES.includes(profiles[0] ?? '')
      ? undefined
      : `its profile is ${profiles.join(', ') || 'none'}`,
  ({ ports = [] }) => {
    const open = ports.filter((port) => !port.startsWith('127.0.0.1:'));
    return open.length === 0 ? undefined : `${open.join(', ')} is open to other machines`;
  },
];

export function problemsOfServices(texts: Texts): string[] {
  const { services } = composeOf(texts);
  return Object.entries(services).flatMap(([name, service]) =>
    rules.flatMap((rule) => {
      const problem = rule(service, name);
      return problem === undefined ? [] : [`${name}: ${problem}`];
    }),
  );
}

/** A container waits until what it needs answers, or is done; nobody waits for what is in a profile that may be off. */
export function problemsOfOrder(texts: Texts): string[] {
  const { services } = composeOf(texts);
  return Object.entries(services).flatMap(([name, { depends_on = {}, profiles = [] }]) =>
    Object.entries(depends_on).flatMap(([other, { condition }]) => {
      const needed = services[other];
      if (needed === undefined) return [`${name}: it waits for ${other}, which there is not`];
      const wanted = other === ONE_SHOT ? 'service_completed_successfully' : 'service_healthy';
      return [
        ...(condition === wanted ? [] : [`${name}: it waits for ${other} to be ${condition}, not ${wanted}`]),
        ...(profiles[0] === 'core' && needed.profiles?.[0] !== 'core'
          ? [`${name}: it waits for ${other}, which is a tool`]
          : []),
      ];
    }),
  );
}

/** What rows need waits for all that it asks; a container that nobody should wait for is named nowhere. */
export function problemsOfWaiting(texts: Texts): string[] {
  const { services } = composeOf(texts);
  const waits = (name: string): readonly string[] => Object.keys(services[name]?.depends_on ?? {});
  const needs: Readonly<Record<string, readonly string[]>> = {
    workers: [
      ...['migrations', 'kafka', 'temporal', 'mock'],
      ...['flink-jobmanager', 'flink-taskmanager', 'flink-gateway'],
    ],
    migrations: ['postgres'],
    'flink-taskmanager': ['flink-jobmanager'],
    'flink-gateway': ['flink-jobmanager'],
    'temporal-ui': ['temporal'],
    'kafka-ui': ['kafka'],
    sqlpad: ['migrations'],
  };
  return Object.entries(needs).flatMap(([name, others]) =>
    others
      .filter((other) => !waits(name).includes(other))
      .map((other) => `${name}: it does not wait for ${other}`),
  );
}

/** Settings are mounted as they stand in the checkout, and read only; data is in volumes that are declared. */
export function problemsOfMounts(texts: Texts): string[] {
  const { services, volumes } = composeOf(texts);
  const mounts = Object.entries(services).flatMap(([name, service]) =>
    (service.volumes ?? []).map((mount) => ({ name, mount })),
  );
  const used = new Set(mounts.map(({ mount }) => mount.source));
  return [
    ...mounts.flatMap(({ name, mount }) =>
      problemsOfMount(texts, volumes, mount).map((text) => `${name}: ${text}`),
    ),
    ...Object.keys(volumes)
      .filter((volume) => !used.has(volume))
      .map((volume) => `the volume ${volume} is mounted nowhere`),
  ];
}

function problemsOfMount(texts: Texts, volumes: object, { type, source, read_only }: Mount): string[] {
  if (type === 'volume') return source in volumes ? [] : [`its volume ${source} is not declared`];
  const path = `docker/${source}`;
  const exists = Object.keys(texts).some((file) => file === path || file.startsWith(`${path}/`));
  return [
    ...(exists ? [] : [`it mounts ${path}, which there is not`]),
    ...(read_only === true ? [] : [`it may write to ${path}`]),
  ];
}

/** A Dockerfile that is there is used, and one that is used is there. */
export function problemsOfBuilds(texts: Texts): string[] {
  const used = Object.values(composeOf(texts).services).flatMap((service) => dockerfileOf(service) ?? []);
  for (const path of used) fileOf(texts, path);
  return Object.keys(texts)
    .filter((path) => path.endsWith('/Dockerfile') && !used.includes(path))
    .map((path) => `${path} is used by no service`);
}

/** In the checkout the file is found that includes all there is, from the folder that its paths begin at. */
export function problemsOfInclude(texts: Texts): string[] {
  const { include = [] } = parse(fileOf(texts, COMPOSE_OF_CHECKOUT)) as { include?: readonly object[] };
  const wanted = JSON.stringify([{ path: COMPOSE, project_directory: 'docker' }]);
  return JSON.stringify(include) === wanted
    ? []
    : [`${COMPOSE_OF_CHECKOUT} includes ${JSON.stringify(include)}`];
}
