/** Changes that people make to the SQL of a stream, each as a version of the weather pipeline's: what a dry run is asked about. */
import type { JobVersion } from '../../clients/job-versions.ts';
import { PARALLELISM } from '../../clients/job-versions.ts';

export interface SqlChange {
  readonly name: string;
  apply(version: JobVersion): JobVersion;
}

/** Thrown when the SQL has not what a change was written for. */
export class ChangeDoesNotApplyError extends Error {
  constructor(what: string) {
    super(`no statement has ${what}: the SQL is another by now, and the change has to be written anew`);
    this.name = 'ChangeDoesNotApplyError';
  }
}

/** Every occurrence, in whichever statement. */
const replaced =
  (before: string | RegExp, after: string) =>
  ({ statements, settings }: JobVersion): JobVersion => {
    const changed = statements.map((statement) => statement.replaceAll(before, after));
    if (changed.every((statement, index) => statement === statements[index]))
      throw new ChangeDoesNotApplyError(String(before));
    return { statements: changed, settings };
  };

const both =
  (...changes: readonly SqlChange['apply'][]) =>
  (version: JobVersion): JobVersion =>
    changes.reduce((changed, change) => change(changed), version);

/** What {@link sqlChanges} writes beside the real tables. */
export const TABLES_OF_CHANGES = [
  'alter table weather_hourly add column feels_like_max double precision',
  'create table hours_of_rain (city_id bigint, window_start timestamptz, rain_mm double precision, primary key (city_id, window_start))',
] as const;

const HOURS_OF_RAIN = `CREATE TABLE hours_of_rain (
  city_id BIGINT,
  window_start TIMESTAMP(3),
  rain_mm DOUBLE,
  PRIMARY KEY (city_id, window_start) NOT ENFORCED
) WITH (
  'connector' = 'jdbc',
  'url' = \${jdbc_url},
  'table-name' = 'hours_of_rain',
  'sink.max-retries' = '10'
)`;

const withStatement =
  (added: string) =>
  ({ statements, settings }: JobVersion): JobVersion => ({
    statements: [...statements.slice(0, -1), added, ...statements.slice(-1)],
    settings,
  });

/** A figure of the hour that is wrong and looks right: what only a comparison of rows can find. */
export const wrongAverages: SqlChange = {
  name: 'wrong averages',
  apply: replaced('AVG(temp) AS temp_avg', 'AVG(temp) + 0.5 AS temp_avg'),
};

export const changedGroupKey: SqlChange = {
  name: 'changed key of the hourly aggregate',
  apply: replaced(
    /GROUP BY\n {2}city_id,\n {2}FLOOR\(observed_at TO HOUR\)/g,
    'GROUP BY\n  FLOOR(observed_at TO HOUR),\n  city_id',
  ),
};

export const otherTimeToLive: SqlChange = {
  name: "other time-to-live of the hours' state",
  apply: replaced("'48h'", "'36h'"),
};

export const newSink: SqlChange = {
  name: 'new sink',
  apply: both(
    withStatement(HOURS_OF_RAIN),
    replaced(
      '\nEND',
      '\nINSERT INTO hours_of_rain\nSELECT city_id, window_start, rain_mm\nFROM hourly_weather;\n\nEND',
    ),
  ),
};

export const sqlChanges: readonly SqlChange[] = [
  { name: 'a comment', apply: replaced('-- The continuous job', '-- The one continuous job') },
  {
    name: 'option of a sink',
    apply: replaced("'sink.buffer-flush.max-rows' = '5000'", "'sink.buffer-flush.max-rows' = '1000'"),
  },
  {
    name: 'option of the source: partitions are discovered each 30 s',
    apply: replaced(
      "'scan.startup.mode'",
      "'scan.topic-partition-discovery.interval' = '30 s',\n  'scan.startup.mode'",
    ),
  },
  { name: 'renamed view', apply: replaced('accepted_observations', 'first_observations') },
  { name: 'new filter', apply: replaced('WHERE id BETWEEN 1 AND', 'WHERE id <> 42\n  AND id BETWEEN 1 AND') },
  otherTimeToLive,
  {
    name: 'another parallelism',
    apply: ({ statements, settings }) => ({ statements, settings: { ...settings, [PARALLELISM]: '1' } }),
  },
  {
    name: 'added column of the hourly aggregate',
    apply: both(
      replaced(
        '  MAX(wind_gust) AS gust_max,',
        '  MAX(wind_gust) AS gust_max,\n  MAX(feels_like) AS feels_like_max,',
      ),
      replaced('  gust_max,\n  rain_mm,', '  gust_max,\n  feels_like_max,\n  rain_mm,'),
      replaced('  gust_max DOUBLE,\n', '  gust_max DOUBLE,\n  feels_like_max DOUBLE,\n'),
    ),
  },
  {
    name: 'changed expression after the aggregate',
    apply: replaced('SUM(rain_1h) /', '1.0 * SUM(rain_1h) /'),
  },
  {
    name: 'changed aggregate: the average becomes a minimum',
    apply: replaced('AVG(temp) AS temp_avg', 'MIN(feels_like) AS temp_avg'),
  },
  {
    name: 'changed type of an aggregated figure',
    apply: replaced('AVG(humidity) AS', 'AVG(CAST(humidity AS FLOAT)) AS'),
  },
  changedGroupKey,
  {
    name: 'changed key of the deduplication',
    apply: replaced(
      'PARTITION BY city_id, observed_at ORDER',
      'PARTITION BY city_id, observed_at, topic ORDER',
    ),
  },
  {
    name: 'the last record wins instead of the first',
    apply: replaced('ORDER BY arrived_at ASC', 'ORDER BY arrived_at DESC'),
  },
  newSink,
  {
    name: 'removed sink',
    apply: replaced(/INSERT INTO observations\nSELECT[\s\S]*?FROM plausible_observations;\n/g, ''),
  },
  { name: 'the two sinks in another order', apply: swapSinks },
];

function swapSinks({ statements, settings }: JobVersion): JobVersion {
  const job = statements.at(-1) ?? '';
  const [first, second] = job.match(/INSERT INTO [\s\S]*?;\n/g) ?? [];
  if (first === undefined || second === undefined) throw new ChangeDoesNotApplyError('two sinks');
  const changed = job.replace(first, '\u0000').replace(second, first).replace('\u0000', second);
  return { statements: [...statements.slice(0, -1), changed], settings };
}
