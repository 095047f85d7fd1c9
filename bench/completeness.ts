/**
 * The question: how long does it take to judge an hour of very many locations, with every figure of it compared and the ledger written,
 * and how long when nothing has changed? On PostgreSQL alone, with the settings that it has in the stack.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { type JudgingQuestion, judgeWindows, judgingParameters } from '../clients/completeness-ledger.ts';
import { migrate } from '../clients/migrations.ts';
import { fillTables } from '../clients/pipeline-tables.ts';
import { connectDatabase, connectionOptions } from '../clients/postgres.ts';
import { readQuery } from '../clients/sql-files.ts';
import { postgresAddress } from '../config/addresses.ts';
import { loadConfig, projectRoot } from '../config/load.ts';
import { tablesOf } from '../pipelines/index.ts';
import { weather } from '../pipelines/weather/definition.ts';
import { ensureRolesAndDatabase } from '../stack/database.ts';
import { createProgress } from '../stack/progress.ts';
import { startServices } from '../stack/services.ts';
import { runCommand, wholeNumber } from './support/command.ts';
import { machineFacts } from './support/machine.ts';
import { markdownTable, seconds, thousands, writeSection } from './support/results.ts';
import { readBenchSql } from './support/sql.ts';
import {
  connectQuietly,
  ownEnvironment,
  report,
  type StackPlace,
  withOwnDirectory,
} from './support/stack.ts';

interface Options {
  readonly locations: number;
}

/** Never reached: only PostgreSQL is started. */
const LEFT_OUT = {
  KAFKA_BROKERS: '127.0.0.1:1',
  FLINK_REST_URL: 'http://127.0.0.1:1',
  FLINK_GATEWAY_URL: 'http://127.0.0.1:1',
  FLINK_CHECKPOINT_DIR: 'file:///nowhere',
  TEMPORAL_ADDRESS: '127.0.0.1:1',
  OPENWEATHERMAP_BASE_URL: 'http://127.0.0.1:1',
} as const;

async function openDatabase({ dataDir, interruption, onEnd }: StackPlace) {
  const progress = createProgress(report, interruption);
  const environment = { ...(await ownEnvironment(dataDir)), ...LEFT_OUT };
  const envFile = join(dataDir, 'no.env');
  const services = await startServices(loadConfig({ environment, envFile, stackAddresses: false }), progress);
  onEnd(() => services.stop(progress.uninterrupted));
  await ensureRolesAndDatabase(services.context);
  const { POSTGRES_PASSWORD, POSTGRES_PIPELINE_PASSWORD } = services.context.secrets;
  const config = loadConfig({
    environment: { ...environment, ...services.addresses, POSTGRES_PASSWORD, POSTGRES_PIPELINE_PASSWORD },
    envFile,
  });
  const address = postgresAddress(config);
  await migrate(address, config.values.POSTGRES_PIPELINE_USER);
  const database = connectDatabase(address, tablesOf);
  onEnd(() => database.close());
  const sql = await connectQuietly(connectionOptions(address));
  onEnd(() => sql.end());
  return { database, services, sql };
}
type OpenDatabase = Awaited<ReturnType<typeof openDatabase>>;

/** Two hours, so that the one judged is not the whole table. */
const HOURS = ['2026-01-15T10:00:00Z', '2026-01-15T11:00:00Z'] as const;
const TO = new Date('2026-01-15T12:00:00Z');
const question: JudgingQuestion = {
  ...{ pipeline: 'weather', source: 'mock', from: new Date(HOURS[1]), to: TO, overUntil: TO, shards: 1 },
  ...{ isBehind: false, reading: [], publishedNotStored: [], mostAttempts: 3, historyFrom: null },
  ...{ openRepairs: [], begunAt: new Date() },
  letterTopics: Object.values(weather.topics).map(({ name }) => name),
};

async function fill({ sql }: OpenDatabase, locations: number): Promise<void> {
  await sql.query("select ensure_partitions('observations', '2026-01-01', '2026-01-01')");
  await sql.query(readBenchSql('many-locations'), [locations]);
  for (const hour of HOURS) await sql.query(readBenchSql('observations-of-an-hour'), [hour]);
  await sql.query(readBenchSql('hours-of-all-observations'));
  await sql.query('vacuum analyze');
}

const rounds = [
  { what: 'for the first time: a row of the ledger for each', prepare: undefined },
  { what: 'once more, nothing has changed', prepare: undefined },
  { what: 'once more', prepare: undefined },
  {
    what: 'one row in a thousand is tampered with',
    prepare: 'update weather_hourly set temp_avg = temp_avg + 1 where city_id % 1000 = 0',
  },
  {
    what: 'ten thousand lack an observation, and there are runs to tell why',
    prepare: readBenchSql('runs-and-an-outage'),
  },
  {
    what: 'nobody has an observation or a row any more, and nobody was polled',
    prepare: 'truncate observations, weather_hourly, ingest_runs, ingest_exceptions',
  },
] as const;

async function measure(bench: OpenDatabase, { locations }: Options): Promise<void> {
  await fill(bench, locations);
  const rows: string[][] = [];
  let plan = '';
  for (const { what, prepare } of rounds) {
    if (prepare !== undefined) await bench.sql.query(prepare);
    const beganAt = performance.now();
    const { byVerdict, changed } = await judgeWindows(bench.database, question);
    const took = (performance.now() - beganAt) / 1_000;
    const verdicts = Object.entries(byVerdict).flatMap(([verdict, windows]) =>
      windows === 0 ? [] : [`${thousands(windows)} ${verdict}`],
    );
    rows.push([what, seconds(took), thousands(changed), verdicts.join(', ')]);
    console.error(`  ${what}: ${seconds(took)} s, ${thousands(changed)} rows written`);
    if (plan === '') plan = await planOf(bench);
  }
  writeFileSync(join(projectRoot, 'bench/completeness-plan.txt'), plan);
  writeSection(
    'Completeness',
    [
      await machineFacts(bench),
      `One hour of ${thousands(locations)} locations with six observations each, in tables that hold two such hours; all figures of the hour are compared. The plan of the second round is in [completeness-plan.txt](completeness-plan.txt).`,
      markdownTable(['the hour is judged', 's', 'rows of the ledger written', 'verdicts'], rows),
    ].join('\n\n'),
  );
}

/** Of judging what has not changed; constants that fill lines are left out. */
async function planOf({ sql }: OpenDatabase): Promise<string> {
  await sql.query('begin');
  await sql.query(readQuery('begin-judging'), [question.pipeline]);
  const { rows } = await sql.query<{ 'QUERY PLAN': string }>(
    `explain (analyze, costs off, buffers off, summary off) ${fillTables('judge-windows', readQuery('judge-windows'), weather.tables)}`,
    [...judgingParameters(question)],
  );
  await sql.query('rollback');
  const lines = rows.map((row) => row['QUERY PLAN'].replaceAll(/\{[^}]{200,}\}/g, '{…}'));
  return `${lines.join('\n')}\n`;
}

const command = new Command('bench:completeness')
  .option('--locations <n>', 'how many locations', wholeNumber, 1_000_000)
  .action((options: Options) =>
    withOwnDirectory(openDatabase, (bench: OpenDatabase) => measure(bench, options)),
  );
await runCommand(command);
