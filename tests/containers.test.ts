/** The containers are what the native stack is: each check is shown to name what was changed, and to find nothing as it stands. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { projectRoot } from '../config/load.ts';
import { problemsOfContext, problemsOfDockerfiles } from './support/containers/dockerfile-rules.ts';
import { COMPOSE, COMPOSE_OF_CHECKOUT, readContainerFiles, type Texts } from './support/containers/files.ts';
import { problemsOfSeeds } from './support/containers/seed-rules.ts';
import {
  problemsOfBuilds,
  problemsOfInclude,
  problemsOfMounts,
  problemsOfOrder,
  problemsOfServices,
  problemsOfWaiting,
} from './support/containers/service-rules.ts';
import {
  problemsOfAddresses,
  problemsOfInitdb,
  problemsOfJars,
  problemsOfPlatforms,
  problemsOfPorts,
  problemsOfSettings,
  problemsOfTemporal,
  problemsOfTopics,
  problemsOfVersions,
} from './support/containers/stack-equality.ts';
import {
  problemsOfSecrets,
  problemsOfVariables,
  problemsOfWhoIsTold,
} from './support/containers/variable-rules.ts';

const texts = readContainerFiles();

/** Everything that the command line runs on; the other folders of code are for those who work on it. */
const FOLDERS = [
  ...['activities', 'cli', 'clients', 'config', 'domain', 'mock', 'pipelines'],
  ...['schemas', 'stack', 'workers', 'workflows'],
];

/** The schema published with the Compose Specification. */
const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
const isCompose = ajv.compile(
  JSON.parse(readFileSync(join(projectRoot, 'tests/support/containers/compose-spec.json'), 'utf8')) as object,
);
function problemsOfSchema(of: Texts): string[] {
  return [COMPOSE, COMPOSE_OF_CHECKOUT].flatMap((file) => {
    isCompose(parse(of[file] ?? '', { merge: true }));
    return (isCompose.errors ?? []).map(({ instancePath, message, params }) =>
      [file, instancePath, message, JSON.stringify(params)].join(' '),
    );
  });
}

interface Change {
  readonly file: string;
  readonly from: string | RegExp;
  readonly to: string;
  /** What the check must say of it. */
  readonly said: string | RegExp;
}

const compose = (from: string | RegExp, to: string, said: string | RegExp): Change => ({
  file: COMPOSE,
  from,
  to,
  said,
});

/** @throws when there is nothing to change: a mutation that changes nothing proves nothing */
function changed({ file, from, to }: Change): Texts {
  const before = texts[file] ?? '';
  const after = before.replace(from, () => to);
  if (after === before) throw new Error(`${file} does not hold ${from}`);
  return { ...texts, [file]: after };
}

interface Check {
  readonly title: string;
  readonly problems: (of: Texts) => string[];
  readonly changes: readonly Change[];
}

const checks: readonly Check[] = [
  {
    title: 'the compose file follows the published schema',
    problems: problemsOfSchema,
    changes: [
      compose('    stop_signal: SIGINT', '    stop_signl: SIGINT', /services\/postgres.*stop_signl/),
      compose('condition: service_healthy', 'condition: service_well', /depends_on.*condition/),
      { file: COMPOSE_OF_CHECKOUT, from: 'include:', to: 'includes:', said: 'compose.yaml  must NOT have' },
      compose('start_period: 240s', 'start_period: [240]', /workers\/healthcheck\/start_period/),
    ],
  },
  {
    title: 'every container is pinned, without privilege, watched, restarted, in UTC and on loopback',
    problems: problemsOfServices,
    changes: [
      compose(
        'sqlpad/sqlpad:7.5.7',
        'sqlpad/sqlpad:latest',
        'sqlpad: its image "sqlpad/sqlpad:latest" is not pinned',
      ),
      compose('    user: postgres', '    user: root', 'postgres: it runs as root'),
      compose(
        "    user: '1000:1000'\n    command: [temporal",
        '    command: [temporal',
        'temporal: it runs as root',
      ),
      compose('restart: unless-stopped', "restart: 'no'", 'flink-taskmanager: it is not started again'),
      compose(/ {4}healthcheck:\n.*nc, -z.*\n(?: {6}.*\n)+/, '', 'temporal: it has no health check'),
      compose(/TZ: UTC\n {6}KAFKA_ADV/, 'TZ: CET\n      KAFKA_ADV', 'kafka: it is not in UTC'),
      compose('cap_drop: [ALL]', 'cap_drop: [CHOWN]', 'workers: it keeps capabilities'),
      compose("['no-new-privileges:true']", '[]', 'mock: it may gain privileges'),
      compose('init: true', 'init: false', 'workers: nobody forwards signals'),
      compose('profiles: [tools]', 'profiles: [extras]', 'kafka-ui: its profile is extras'),
      compose('- 127.0.0.1:${TEMPORAL_PORT', '- 0.0.0.0:${TEMPORAL_PORT', /temporal: 0\.0\.0\.0:.* is open/),
    ],
  },
  {
    title: 'the start order waits for what answers, or is done',
    problems: problemsOfOrder,
    changes: [
      compose(
        'condition: service_healthy',
        'condition: service_started',
        /it waits for temporal to be service_started/,
      ),
      compose(
        '      migrations:\n',
        '      migration:\n',
        'workers: it waits for migration, which there is not',
      ),
      compose(/(depends_on:\n) {6}temporal:/, 'depends_on:\n      kafka-ui:', 'which is a tool'),
    ],
  },
  {
    title: 'whoever needs another waits for it',
    problems: problemsOfWaiting,
    changes: [
      compose(
        '      flink-taskmanager:\n        condition: service_healthy\n',
        '',
        'workers: it does not wait for flink-taskmanager',
      ),
    ],
  },
  {
    title: 'settings are mounted read only, data is in declared volumes',
    problems: problemsOfMounts,
    changes: [
      compose(
        'source: kafka/server.properties',
        'source: kafka/broker.properties',
        'docker/kafka/broker.properties',
      ),
      compose(
        /(ui\.yaml\n) {8}read_only: true\n/,
        'ui.yaml\n',
        'temporal-ui: it may write to docker/temporal/ui.yaml',
      ),
      compose('  sqlpad-data:\n', '', 'sqlpad: its volume sqlpad-data is not declared'),
      compose('  sqlpad-data:\n', '  sqlpad-data:\n  other-data:\n', 'other-data is mounted nowhere'),
    ],
  },
  {
    title: 'what is found in the checkout includes it all',
    problems: problemsOfInclude,
    changes: [
      {
        file: COMPOSE_OF_CHECKOUT,
        from: 'project_directory: docker',
        to: 'project_directory: .',
        said: 'includes',
      },
    ],
  },
  {
    title: 'each Dockerfile is used',
    problems: problemsOfBuilds,
    changes: [compose('context: kafka', 'context: flink', 'docker/kafka/Dockerfile is used by no service')],
  },
  {
    title: 'each Dockerfile is in stages, pinned, without secrets and not root in the end',
    problems: problemsOfDockerfiles,
    changes: [
      {
        file: 'docker/kafka/Dockerfile',
        from: '17.0.19_10-jre-noble',
        to: '17-jre',
        said: '17-jre" is not pinned',
      },
      {
        file: 'docker/flink/Dockerfile',
        from: 'USER 10001:10001\n',
        to: '',
        said: 'it ends as the user root',
      },
      {
        file: 'docker/flink/Dockerfile',
        from: 'USER 10001:10001',
        to: 'USER 0:0',
        said: 'it ends as the user 0:0',
      },
      {
        file: 'docker/hourglass/Dockerfile',
        from: 'ENV TZ',
        to: 'ENV POSTGRES_PASSWORD=x TZ',
        said: 'a secret',
      },
      { file: 'docker/hourglass/Dockerfile', from: 'COPY . .', to: 'ADD . .', said: 'should be COPY' },
      { file: 'docker/kafka/Dockerfile', from: 'ENV TZ=UTC\n', to: '', said: 'it is not in UTC' },
      {
        file: 'docker/kafka/Dockerfile',
        from: '["/opt/kafka/start.sh"]',
        to: '/opt/kafka/start.sh',
        said: 'signal',
      },
      {
        file: 'docker/hourglass/Dockerfile',
        from: /FROM .* AS packages\n/,
        to: '',
        said: 'left in the image',
      },
      {
        file: 'docker/kafka/Dockerfile',
        from: 'RUN groupadd',
        to: 'RUN apt-get install -y curl && groupadd',
        said: 'installs more',
      },
    ],
  },
  {
    title: 'what is let into the image is what the command line runs on, and no .env',
    problems: (of) => problemsOfContext(of, FOLDERS),
    changes: [
      { file: 'docker/hourglass/Dockerfile.dockerignore', from: '!mock\n', to: '', said: 'mock is left out' },
      {
        file: 'docker/hourglass/Dockerfile.dockerignore',
        from: '!tests/histories\n',
        to: '',
        said: 'tests/histories is left out',
      },
      {
        file: 'docker/hourglass/Dockerfile.dockerignore',
        from: '!mock',
        to: '!mock\n!.env',
        said: '.env is let in',
      },
      {
        file: 'docker/hourglass/Dockerfile.dockerignore',
        from: /^\*\n/m,
        to: '',
        said: 'everything left out',
      },
    ],
  },
  {
    title: 'every variable is in example.env and falls back to the default of the schema',
    problems: problemsOfVariables,
    changes: [
      compose('${SQLPAD_PORT:-3000}', '${SQLPAD_HTTP_PORT:-3000}', 'SQLPAD_HTTP_PORT is not in example.env'),
      compose(
        '${MOCK_STEP_SECONDS:-600}',
        '${MOCK_STEP_SECONDS:-60}',
        'MOCK_STEP_SECONDS falls back to "60"',
      ),
      compose(
        '${MOCK_SEED:-hourglass}',
        '${MOCK_SEED:?set it}',
        'MOCK_SEED must be set, though it has a default',
      ),
      {
        file: 'example.env',
        from: '# KAFKA_UI_PORT=8088',
        to: '',
        said: 'KAFKA_UI_PORT is not in example.env',
      },
    ],
  },
  {
    title: 'no secret stands in the compose file or in a list of processes',
    problems: problemsOfSecrets,
    changes: [
      compose(
        'PASSWORD: ${SQLPAD_ADMIN_PASSWORD:-admin}',
        'PASSWORD: admin',
        'sqlpad: the secret SQLPAD_ADMIN_PASSWORD',
      ),
      compose(/hourglass__password: .*/, 'hourglass__password: x', 'sqlpad: the secret SQLPAD_CONNECTIONS'),
      compose(
        '[migrate, --roles]',
        '[migrate, "${POSTGRES_PASSWORD}"]',
        'migrations: "${POSTGRES_PASSWORD}" shows',
      ),
    ],
  },
  {
    title: 'nobody is told a password that is not needed',
    problems: problemsOfWhoIsTold,
    changes: [
      compose("  POSTGRES_SUPERUSER_PASSWORD: ''\n", '', 'workers: it is told POSTGRES_SUPERUSER_PASSWORD'),
      compose(
        /(POSTGRES_PIPELINE_USER: .*\n) {2}POSTGRES_PIPELINE_PASSWORD: .*\n/,
        '\n',
        'flink-taskmanager: it is not told POSTGRES_PIPELINE_PASSWORD',
      ),
      compose(
        / {2}POSTGRES_READER_PASSWORD: \$\{.*\n/,
        "  POSTGRES_READER_PASSWORD: ''\n",
        'workers: it is not told POSTGRES_READER_PASSWORD',
      ),
    ],
  },
  {
    title: 'the versions are those of the native stack',
    problems: problemsOfVersions,
    changes: [
      compose('postgres:18.4-', 'postgres:18.3-', /postgres: its image is postgres:18\.3.*18\.4/),
      compose('temporalio/server:1.32.1', 'temporalio/server:1.32.0', 'temporal: its image is'),
      {
        file: 'docker/flink/pom.xml',
        from: /<flink.version>[^<]+/,
        to: '<flink.version>2.3.0',
        said: 'hourglass-flink:2.3.0',
      },
      { file: 'package.json', from: '"version": "0.1.0"', to: '"version": "0.2.0"', said: 'hourglass:0.2.0' },
    ],
  },
  {
    title: 'the platforms are among those that the native stack accepts',
    problems: problemsOfPlatforms,
    changes: [
      {
        file: 'docker/hourglass/Dockerfile',
        from: 'FROM node:22.22.1',
        to: 'FROM node:18.20.1',
        said: 'node:18.20.1',
      },
      {
        file: 'docker/flink/Dockerfile',
        from: 'temurin:17.0.19_10',
        to: 'temurin:25.0.1_8',
        said: 'is not Java 17',
      },
    ],
  },
  {
    title: 'the jars come from the same lists by the same command',
    problems: problemsOfJars,
    changes: [
      {
        file: 'docker/flink/Dockerfile',
        from: '-DincludeScope=runtime',
        to: '',
        said: 'without -DincludeScope=runtime',
      },
      {
        file: 'docker/kafka/Dockerfile',
        from: 'COPY pom.xml .',
        to: 'COPY other.xml .',
        said: 'its list of jars is not',
      },
    ],
  },
  {
    title: 'the ports are those of the native stack, moved by the same variables',
    problems: problemsOfPorts,
    changes: [
      compose('${FLINK_REST_PORT:-8081}:8081', '${FLINK_REST_PORT:-8082}:8081', 'flink-jobmanager: its port'),
      compose('${KAFKA_PORT:-9092}:9092', '${KAFKA_PORT:-9092}:19092', 'kafka: its port'),
    ],
  },
  {
    title: 'the settings mounted are the files that the native stack runs with',
    problems: problemsOfSettings,
    changes: [
      compose(
        'source: postgres/hourglass.conf',
        'source: postgres/other.conf',
        'docker/postgres/hourglass.conf is mounted',
      ),
      {
        file: 'stack/kafka.ts',
        from: /log4j2\.properties/g,
        to: 'log4j.properties',
        said: 'stack/kafka.ts does not run',
      },
      {
        file: 'stack/temporal.ts',
        from: "'--env', 'ui'",
        to: "'--env', 'web'",
        said: 'docker/temporal/ui.yaml',
      },
    ],
  },
  {
    title: "PostgreSQL's data directory is made as the native stack's",
    problems: problemsOfInitdb,
    changes: [
      compose(' --locale=C', '', 'postgres: its data directory is made with'),
      compose(/ {6}POSTGRES_INITDB_ARGS: .*\n/, '', 'postgres: its data directory is made with ""'),
    ],
  },
  {
    title: 'Temporal is started as by the native stack, and its settings find what they take',
    problems: problemsOfTemporal,
    changes: [
      compose(
        / {6}TEMPORAL_HISTORY_PORT: .*\n/,
        '',
        'temporal: docker/temporal/server.yaml takes TEMPORAL_HISTORY_PORT',
      ),
      compose(', --allow-no-auth, start]', ', start]', 'temporal: it is started as'),
      compose('--env, ui, start]', '--env, docker, start]', 'temporal-ui: it is started as'),
    ],
  },
  {
    title: 'every address that the workers are told is where a service listens',
    problems: problemsOfAddresses,
    changes: [
      compose('KAFKA_BROKERS: kafka:19092', 'KAFKA_BROKERS: kafka:9092', 'KAFKA_BROKERS is kafka:9092'),
      compose(
        '///data/flink/checkpoints',
        '///data/checkpoints',
        'FLINK_CHECKPOINT_DIR is file:///data/checkpoints',
      ),
      compose(
        'MOCK_URL: http',
        'OPENWEATHERMAP_BASE_URL: http',
        'with the real API they ask http://mock:8090',
      ),
      {
        file: 'docker/kafka/start.sh',
        from: 'kafka:19092',
        to: 'broker:19092',
        said: 'no start script says PLAINTEXT',
      },
    ],
  },
  {
    title: 'topics are made by the workers alone',
    problems: problemsOfTopics,
    changes: [
      compose(
        'KAFKA_CLUSTERS_0_NAME: hourglass',
        'TOPIC: weather.observations.v1',
        'docker/compose.yaml names a topic',
      ),
      {
        file: 'docker/kafka/server.properties',
        from: 'enable=false',
        to: 'enable=true',
        said: 'misspelt topic',
      },
    ],
  },
  {
    title: 'the queries of SQLPad ask tables that there are, over the connection that there is',
    problems: problemsOfSeeds,
    changes: [
      {
        file: 'docker/sqlpad/seed/queries/hourly-weather.json',
        from: 'from weather_hourly',
        to: 'from weather_daily',
        said: 'weather_daily is no table',
      },
      {
        file: 'docker/sqlpad/seed/queries/hourly-weather.json',
        from: 'h.temp_avg',
        to: 'h.temp_mean',
        said: 'temp_mean is no column',
      },
      compose(
        'SQLPAD_CONNECTIONS__hourglass__name',
        'SQLPAD_CONNECTIONS__other__name',
        'there is no connection',
      ),
    ],
  },
];

describe.each(checks)('$title', ({ problems, changes }) => {
  test('as it stands', () => {
    expect(problems(texts)).toEqual([]);
  });

  test.each(changes.map((change) => [String(change.said), change] as const))(
    'or the check says: %s',
    (_, change) => {
      expect(problems(changed(change)).join('\n')).toMatch(change.said);
    },
  );
});
