/** Owns the one zod schema of the environment: every variable, its default, its example and whether it is a secret. */
import { z } from 'zod';
import { taskQueues } from '../domain/task-queues.ts';

export const SOURCES = ['mock', 'openweathermap'] as const;
const PLANS = ['free', 'startup', 'developer', 'professional'] as const;

interface VariableMeta {
  readonly about: string;
  readonly example: string;
  readonly secret?: true;
  /** Only docker/compose.yaml and what it starts read it; the native stack does not. */
  readonly containersOnly?: true;
}

const documented = <T extends z.ZodType>(schema: T, meta: VariableMeta): T => schema.meta({ ...meta }) as T;

const port = z.coerce
  .number('expected a port number')
  .int('expected a whole number')
  .min(1, 'expected a port from 1 to 65535')
  .max(65535, 'expected a port from 1 to 65535');

const url = z.url({ protocol: /^https?$/, error: 'expected an http or https address' });
const identifier = z
  .string()
  .regex(/^[a-z_][a-z0-9_]{0,62}$/, 'expected lower-case letters, digits and underscores, at most 63');
const hostAndPort = z.string().regex(/^[^\s,:/]+:\d{1,5}$/, 'expected host:port');
const wholeNumber = (least: number, most: number) =>
  z.coerce
    .number(`expected a whole number from ${least} to ${most}`)
    .int(`expected a whole number from ${least} to ${most}`)
    .min(least, `expected a whole number from ${least} to ${most}`)
    .max(most, `expected a whole number from ${least} to ${most}`);

const servable = Object.values(taskQueues);
const roles = z
  .string()
  .default('all')
  .transform((text) => text.split(','))
  .pipe(
    z.array(z.enum([...servable, 'all'], `expected all, or some of ${servable.join(', ')}, comma-separated`)),
  );

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

/**
 * All that can be configured. An address (`KAFKA_BROKERS`, `FLINK_REST_URL`, …) that is set means: this service is run
 * by somebody else. One that is not set means: the native stack runs it, on the port of the same name.
 */
export const environmentSchema = z
  .object({
    PIPELINES: documented(
      z
        .string()
        .default('weather')
        .transform((text) => text.split(',').map((name) => name.trim()))
        .pipe(
          z
            .array(
              z.string().regex(/^[a-z][a-z0-9-]{0,40}$/, 'expected names of pipelines, separated by commas'),
            )
            .min(1),
        ),
      {
        about:
          'Which pipelines a start runs, separated by commas; the first history of each is loaded when it starts first.',
        example: 'weather,air-pollution',
      },
    ),
    WEATHER_SOURCE: documented(z.enum(SOURCES).default('mock'), {
      about: 'Where the weather comes from: the built-in mock, or the real API (needs a key).',
      example: 'mock',
    }),
    OPENWEATHERMAP_API_KEY: documented(z.string().min(1).optional(), {
      about: 'Your key; required when WEATHER_SOURCE=openweathermap.',
      example: '0123456789abcdef0123456789abcdef',
      secret: true,
    }),
    OPENWEATHERMAP_PLAN: documented(z.enum(PLANS).optional(), {
      about:
        'The plan of the key, which decides its limits. Default: free for the real API, developer for the mock.',
      example: 'free',
    }),
    OPENWEATHERMAP_BASE_URL: documented(url.optional(), {
      about: 'The API. Default: the mock, or https://api.openweathermap.org.',
      example: 'https://api.openweathermap.org',
    }),
    OPENWEATHERMAP_HISTORY_URL: documented(url.optional(), {
      about: 'The history API. Default: the mock, or https://history.openweathermap.org.',
      example: 'https://history.openweathermap.org',
    }),
    OPENWEATHERMAP_TIMEOUT_MS: documented(wholeNumber(100, 40_000).default(10_000), {
      about: 'How long one call may take, in milliseconds.',
      example: '10000',
    }),
    FIRST_START_HISTORY_HOURS: documented(wholeNumber(0, 168).optional(), {
      about:
        "How many hours before the first start are expected, and filled from the source's history. Default: 24 with the mock, 0 with the real API.",
      example: '24',
    }),
    INGEST_SHARDS: documented(wholeNumber(1, 256).default(1), {
      about: 'In how many parts the locations are polled, each by a Temporal schedule of its own.',
      example: '1',
    }),
    INGEST_SPREAD_SECONDS: documented(wholeNumber(0, 45).default(30), {
      about: 'Over how many seconds of each minute the calls of a run spread.',
      example: '30',
    }),
    INGEST_ALERT_AFTER_FAILURES: documented(wholeNumber(1, 1_000).default(3), {
      about: 'After how many runs in a row that failed an alert is raised.',
      example: '3',
    }),
    INGEST_PAUSE_AFTER_FAILURES: documented(wholeNumber(1, 10_000).optional(), {
      about: 'After how many runs in a row that failed the schedule is paused. Not set: never.',
      example: '60',
    }),
    BACKFILL_CALL_SHARE: documented(
      z.coerce
        .number('expected a number from 0.01 to 0.5')
        .min(0.01, 'expected a number from 0.01 to 0.5')
        .max(0.5, 'expected a number from 0.01 to 0.5')
        .default(0.25),
      {
        about: "What part of the plan's calls backfills may use; with repairs together it is half of them.",
        example: '0.25',
      },
    ),
    COMPLETENESS_REPAIR: documented(
      z
        .enum(['true', 'false'], 'expected true or false')
        .default('true')
        .transform((text) => text === 'true'),
      {
        about: 'Whether hours that are found not to be complete are repaired, as far as they can be.',
        example: 'true',
      },
    ),
    MOCK_PORT: documented(port.default(8090), { about: 'Port of the mock.', example: '8090' }),
    MOCK_ADMIN_PORT: documented(port.default(8091), {
      about: 'Port on which the mock takes faults and tells what it served; on the loopback address alone.',
      example: '8091',
    }),
    MOCK_URL: documented(url.optional(), {
      about: 'Address of a mock that is already running; counts with WEATHER_SOURCE=mock alone.',
      example: 'http://mock:8090',
    }),
    MOCK_SEED: documented(z.string().min(1).default('hourglass'), {
      about: 'The mock invents the same weather for the same seed.',
      example: 'hourglass',
    }),
    MOCK_STEP_SECONDS: documented(wholeNumber(1, 86_400).default(600), {
      about: 'How often a city of the mock has a new observation, in seconds. The real API: 600.',
      example: '600',
    }),
    MOCK_FAULTS: documented(
      z.string().refine(isJsonObject, 'expected an object in JSON, see docs/mock.md').optional(),
      {
        about: 'What goes wrong with the mock from its start on, as JSON, see docs/mock.md. Empty: nothing.',
        example: '{"serverError":0.05}',
      },
    ),

    KAFKA_BROKERS: documented(
      z
        .string()
        .transform((text) => text.split(','))
        .pipe(z.array(hostAndPort).min(1))
        .optional(),
      {
        about: 'Brokers of a Kafka that is already running, host:port, comma-separated.',
        example: 'kafka-1:9092,kafka-2:9092',
      },
    ),
    KAFKA_PORT: documented(port.default(9092), { about: 'Port of the native Kafka.', example: '9092' }),

    FLINK_REST_URL: documented(url.optional(), {
      about: 'REST address of a Flink session cluster that is already running.',
      example: 'http://jobmanager:8081',
    }),
    FLINK_REST_PORT: documented(port.default(8081), {
      about: "Port of the native Flink's REST API and pages.",
      example: '8081',
    }),
    FLINK_GATEWAY_URL: documented(url.optional(), {
      about: 'Address of a Flink SQL Gateway that is already running.',
      example: 'http://sql-gateway:8083',
    }),
    FLINK_GATEWAY_PORT: documented(port.default(8083), {
      about: 'Port of the native SQL Gateway.',
      example: '8083',
    }),
    FLINK_TASK_MANAGERS: documented(wholeNumber(1, 16).default(1), {
      about: 'How many TaskManagers the native Flink has, each with four slots and a heap of 1.2 GB.',
      example: '1',
    }),

    TEMPORAL_ADDRESS: documented(hostAndPort.optional(), {
      about: 'Address of a Temporal that is already running, host:port.',
      example: 'temporal:7233',
    }),
    TEMPORAL_PORT: documented(port.default(7233), { about: 'Port of the native Temporal.', example: '7233' }),
    TEMPORAL_UI_PORT: documented(port.default(8233), {
      about: "Port of the native Temporal's Web UI.",
      example: '8233',
    }),
    TEMPORAL_NAMESPACE: documented(
      z
        .string()
        .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'expected letters, digits, dots, hyphens and underscores')
        .default('hourglass'),
      { about: 'The Temporal namespace; made when it does not exist.', example: 'hourglass' },
    ),
    TEMPORAL_MIN_SERVER_VERSION: documented(
      z
        .string()
        .regex(/^\d+\.\d+\.\d+$/, 'expected a version such as 1.31.0')
        .default('1.31.0'),
      {
        about: 'The oldest server that a `temporal` command found on PATH may bring.',
        example: '1.31.0',
      },
    ),

    POSTGRES_HOST: documented(z.string().min(1).optional(), {
      about: 'Host of a PostgreSQL that is already running (its roles and database exist, see docs).',
      example: 'db.internal',
    }),
    POSTGRES_PORT: documented(port.default(5432), { about: 'Port of PostgreSQL.', example: '5432' }),
    POSTGRES_DATABASE: documented(identifier.default('hourglass'), {
      about: 'The database.',
      example: 'hourglass',
    }),
    POSTGRES_USER: documented(identifier.default('hourglass'), {
      about: 'The role that owns the tables; migrations, workers and the CLI use it.',
      example: 'hourglass',
    }),
    POSTGRES_PASSWORD: documented(z.string().min(1).optional(), {
      about: 'Its password. The native stack makes one when it is not set.',
      example: 'change-me',
      secret: true,
    }),
    POSTGRES_PIPELINE_USER: documented(identifier.default('hourglass_pipeline'), {
      about: 'The role that Flink writes with: it may only read and write the pipeline’s tables.',
      example: 'hourglass_pipeline',
    }),
    POSTGRES_PIPELINE_PASSWORD: documented(z.string().min(1).optional(), {
      about: 'Its password. The native stack makes one when it is not set.',
      example: 'change-me-too',
      secret: true,
    }),
    POSTGRES_READER_USER: documented(identifier.default('hourglass_reader'), {
      about: 'The role that people read with, `hourglass sql` for one: it sees every table and writes none.',
      example: 'hourglass_reader',
    }),
    POSTGRES_READER_PASSWORD: documented(z.string().min(1).optional(), {
      about: 'Its password. The native stack makes one when it is not set.',
      example: 'change-me-as-well',
      secret: true,
    }),

    POSTGRES_SUPERUSER_PASSWORD: documented(z.string().min(1).optional(), {
      about: 'Password of the superuser in the PostgreSQL container, who makes the roles and the database.',
      example: 'change-me-as-well',
      secret: true,
      containersOnly: true,
    }),
    FLINK_TASK_SLOTS: documented(wholeNumber(2, 64).default(4), {
      about:
        'Slots of the TaskManager among the containers: two for batch jobs, and the parallelism of each stream (2 for weather, 1 for air pollution).',
      example: '4',
      containersOnly: true,
    }),
    KAFKA_UI_PORT: documented(port.default(8088), {
      about: 'Port of the Kafka UI among the containers.',
      example: '8088',
      containersOnly: true,
    }),
    SQLPAD_PORT: documented(port.default(3000), {
      about: 'Port of SQLPad among the containers.',
      example: '3000',
      containersOnly: true,
    }),
    SQLPAD_ADMIN: documented(z.email('expected an e-mail address').default('admin@sqlpad.com'), {
      about: 'Who signs in to SQLPad.',
      example: 'admin@sqlpad.com',
      containersOnly: true,
    }),
    SQLPAD_ADMIN_PASSWORD: documented(z.string().min(1).default('admin'), {
      about: 'The password for it; SQLPad listens on the loopback address alone.',
      example: 'admin',
      secret: true,
      containersOnly: true,
    }),

    HOURGLASS_DATA_DIR: documented(z.string().min(1).default('.stack'), {
      about: 'Where the native stack keeps data, logs and its state. One directory belongs to one source.',
      example: '.stack',
    }),
    HOURGLASS_CACHE_DIR: documented(z.string().min(1).optional(), {
      about:
        'Where downloads are kept. Default: the cache directory of the user, /var/cache/hourglass for root.',
      example: '/var/cache/hourglass',
    }),
    WORKER_ROLES: documented(roles, {
      about:
        'The task queues that a worker of `hourglass workers run` serves, comma-separated. The one of the native stack serves all.',
      example: 'control,flink',
    }),
    WORKER_GRACE_SECONDS: documented(wholeNumber(1, 3_600).default(20), {
      about: 'Within how many seconds of the first signal a stopping worker has ended.',
      example: '20',
    }),
    WORKER_HEALTH_PORT: documented(port.optional(), {
      about:
        'Port on which a worker answers GET /health, /ready and /metrics. Not set: none, and any free one for the native stack.',
      example: '9464',
    }),
    WORKER_HEALTH_HOST: documented(z.string().min(1).default('127.0.0.1'), {
      about: 'The address of this port; 0.0.0.0 where others ask, as in a container.',
      example: '127.0.0.1',
    }),
    WORKER_MAX_HEAP_MB: documented(wholeNumber(256, 65_536).default(1_024), {
      about:
        'The most heap of a worker in MB, for its activities and again for its workflows, see docs/workers.md.',
      example: '1024',
    }),
    WORKER_MAX_CACHED_WORKFLOWS: documented(wholeNumber(10, 100_000).default(400), {
      about: 'How many workflow runs a worker keeps in memory; others are replayed when they go on.',
      example: '400',
    }),
    WORKER_MAX_ACTIVITIES: documented(wholeNumber(1, 1_000).default(100), {
      about: 'How many activities a worker runs at once on each task queue, at most.',
      example: '100',
    }),
    DEPLOY_REPLAY_RUNS: documented(wholeNumber(0, 1_000).default(5), {
      about: "How many of the newest runs of each workflow type a deploy's replay gate replays.",
      example: '5',
    }),
    DEPLOY_WATCH_SECONDS: documented(wholeNumber(0, 86_400).default(120), {
      about: 'How long a build that has become current is watched, in seconds; rolled back when more fails.',
      example: '120',
    }),
    DEPLOY_DRAIN_SECONDS: documented(wholeNumber(1, 604_800).default(3_600), {
      about: 'After how many seconds a deploy lists the runs that are still open on older builds.',
      example: '3600',
    }),
    JOB_UPGRADE_LEAST_SECONDS: documented(wholeNumber(0, 240).optional(), {
      about:
        "For how many seconds a new version of a stream has to run without a failure before it is confirmed, see docs/flink-lifecycle.md. Not set: what the pipeline's definition says, 60 unless told.",
      example: '60',
    }),
    FLINK_CHECKPOINT_DIR: documented(
      z
        .string()
        .regex(
          /^file:\/\/\//,
          'expected a file: address that the workers can read, such as file:///data/checkpoints',
        )
        .optional(),
      {
        about: 'Where the Flink cluster keeps checkpoints; set it with FLINK_REST_URL.',
        example: 'file:///data/flink/checkpoints',
      },
    ),
    ALERT_WEBHOOK_URL: documented(url.optional(), {
      about:
        'Where alerts are sent by POST, see docs/alerts.md. When it is not set they stand in the log of the worker.',
      example: 'https://hooks.example.com/services/0123456789abcdef',
      secret: true,
    }),
    LOG_LEVEL: documented(z.enum(['debug', 'info', 'warn', 'error']).default('info'), {
      about: 'What the workers log.',
      example: 'info',
    }),
  })
  .refine(
    (environment) => environment.WEATHER_SOURCE !== 'openweathermap' || environment.OPENWEATHERMAP_API_KEY,
    {
      path: ['OPENWEATHERMAP_API_KEY'],
      error: 'expected the key of the real API, because WEATHER_SOURCE=openweathermap',
      // Without this the missing key would be reported only after every other mistake is mended.
      when: () => true,
    },
  )
  .check(({ value, issues }) => {
    const flink = ['FLINK_REST_URL', 'FLINK_GATEWAY_URL', 'FLINK_CHECKPOINT_DIR'] as const;
    const missing = flink.filter((name) => value[name] === undefined);
    if (missing.length === flink.length) return;
    for (const name of missing) {
      const message =
        'expected with the other two of FLINK_REST_URL, FLINK_GATEWAY_URL and FLINK_CHECKPOINT_DIR: one cluster has them all';
      issues.push({ code: 'custom', path: [name], input: value, message });
    }
  });

export type Environment = z.infer<typeof environmentSchema>;
export type VariableName = keyof Environment;

export const variableNames = Object.keys(environmentSchema.shape) as VariableName[];

/** What the schema says of a variable besides its type. */
export function describeVariable(name: VariableName): VariableMeta {
  return environmentSchema.shape[name].meta() as unknown as VariableMeta;
}
