/** Tables in which windows are judged: a schema of its own in the shared stack's database, filled with rows as the pipeline would. */
import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { type JudgingQuestion, judgeWindows } from '../../clients/completeness-ledger.ts';
import { migrate } from '../../clients/migrations.ts';
import { connectDatabase, type Database } from '../../clients/postgres.ts';
import { postgresAddress } from '../../config/addresses.ts';
import type { CompletenessReason, CompletenessVerdict } from '../../domain/completeness-verdicts.ts';
import { config, connectSql } from './shared-stack.ts';
import { weatherTables } from './weather-tables.ts';

export const PIPELINE = 'a-pipeline';
export const SOURCE = 'a-source';
export const LIVE = 'live.v1';

/** A window of the ledger, and the version of its row: it changes with every writing. */
export interface LedgerRow {
  readonly verdict: CompletenessVerdict;
  readonly reason: CompletenessReason | null;
  readonly expected: number;
  readonly observed: number;
  readonly aggregated: number | null;
  readonly evidence: Record<string, unknown> | null;
  readonly version: string;
}

export interface Location {
  readonly id: number;
  readonly cadence?: number;
  readonly least?: number;
  readonly from?: string;
  readonly to?: string | null;
  readonly timezone?: string;
}

export interface Chunk {
  readonly entityId: number;
  readonly hour: string;
  readonly status: 'pending' | 'done' | 'failed';
  readonly purpose?: 'repair' | 'backfill';
  readonly input?: 'history' | 'kafka';
  readonly failures?: readonly object[];
}

const HOUR_MS = 3_600_000;

export type JudgedWorld = Awaited<ReturnType<typeof createJudgedWorld>>;

export async function createJudgedWorld() {
  const schema = `judged_${randomBytes(3).toString('hex')}`;
  const sql: pg.Client = await connectSql();
  await sql.query(`create schema ${schema}`);
  await sql.query(`set search_path = ${schema}`);
  await migrate({ ...postgresAddress(config), schema }, config.values.POSTGRES_PIPELINE_USER);
  const database: Database = connectDatabase({ ...postgresAddress(config), schema }, weatherTables);
  let offsets = 0;
  let backfills = 0;
  return {
    sql,
    database,
    async watch(locations: readonly Location[]): Promise<void> {
      await sql.query(
        `insert into locations (city_id, name, country, lat, lon, timezone, cadence_minutes, min_observations_per_hour, active_from, active_to)
         select x.id, 'place ' || x.id, 'NO', 0, 0, coalesce(x.timezone, 'UTC'), coalesce(x.cadence, 10), coalesce(x.least, 4),
           coalesce(x."from", '2020-01-01T00:00:00Z'), x."to"
         from jsonb_to_recordset($1::jsonb)
           as x (id bigint, timezone text, cadence integer, least integer, "from" timestamptz, "to" timestamptz)`,
        [JSON.stringify(locations)],
      );
    },
    /** Published half a minute after it was made, and stored. @returns the offsets, in order */
    async observe(id: number, times: readonly string[]): Promise<readonly number[]> {
      const given = times.map(() => offsets++);
      await sql.query(
        `insert into observations (city_id, observed_at, temp, humidity, wind_gust, rain_1h, topic, partition_id, record_offset, published_at)
         select $1, at, extract(epoch from at) / 7 % 30, 80, null, case when place % 2 = 0 then 0.3 end, $4, 0, record_offset, at + interval '30 s'
         from unnest($2::timestamptz[], $3::bigint[]) with ordinality as o (at, record_offset, place)`,
        [id, times, given, LIVE],
      );
      return given;
    },
    /** The hours' rows as the stream would write them. */
    async aggregate(ids: readonly number[]): Promise<void> {
      await sql.query(
        `insert into weather_hourly (city_id, window_start, window_end, observation_count, temp_avg, temp_min, temp_max,
           humidity_avg, humidity_min, humidity_max, gust_max, rain_mm, first_observed_at, last_observed_at, origin)
         select city_id, w, w + interval '1 hour', count(*), avg(temp), min(temp), max(temp),
           avg(humidity), min(humidity), max(humidity), max(wind_gust), sum(rain_1h) / count(*), min(observed_at), max(observed_at), 'batch'
         from observations, lateral (select date_trunc('hour', observed_at, 'UTC') as w) as hour
         where city_id = any($1)
         group by city_id, w
         on conflict (city_id, window_start) do nothing`,
        [ids],
      );
    },
    /** A completed run in each minute; some locations had nothing new in all of them. */
    async run(
      shard: number,
      from: string,
      minutes: number,
      unchangedIds: readonly number[] = [],
      shards: number | null = null,
    ): Promise<void> {
      await sql.query(
        `insert into ingest_runs (pipeline, source, shard, scheduled_at, started_at, finished_at, status, workflow_run_id, unchanged_ids, shards)
         select $1, $2, $3, at, at, at + interval '59 s', 'completed', 'a-run', $6, $7
         from generate_series($4::timestamptz, $4::timestamptz + make_interval(mins => $5 - 1), interval '1 minute') as at
         on conflict (pipeline, source, shard, scheduled_at) do update
         set unchanged_ids = ingest_runs.unchanged_ids || excluded.unchanged_ids`,
        [PIPELINE, SOURCE, shard, from, minutes, unchangedIds, shards],
      );
    },
    async except(shard: number, id: number, at: readonly string[], outcome: string): Promise<void> {
      await sql.query(
        `insert into ingest_exceptions (pipeline, source, shard, scheduled_at, entity_id, outcome, reason)
         select $1, $2, $3, at, $4, $6, 'so it was' from unnest($5::timestamptz[]) as at`,
        [PIPELINE, SOURCE, shard, id, at, outcome],
      );
    },
    async letter(id: number, publishedAt: string, headers: object = {}): Promise<number> {
      const offset = offsets++;
      await sql.query(
        `insert into dead_letters (topic, partition_id, record_offset, reason, key, published_at, headers)
         values ($1, 0, $2, 'no JSON', $3, $4, $5)`,
        [LIVE, offset, Buffer.from(String(id)), publishedAt, headers],
      );
      return offset;
    },
    /** A backfill of one window. */
    async backfill({
      entityId,
      hour,
      status,
      purpose = 'repair',
      input = 'history',
      failures = [],
    }: Chunk): Promise<string> {
      const id = `backfill-${backfills++}`;
      const ended = status !== 'pending';
      await sql.query(
        `insert into backfills (backfill_id, pipeline, request_key, repeat, request, purpose, reason, status, windows, skipped, chunks, calls, seconds, workflow_id)
         values ($1, $2, $1, 1, $3, $4, '', $5, 1, '{}', 1, 1, 1, 'backfill/' || $1)`,
        [id, PIPELINE, { input }, purpose, ended ? 'completed' : 'running'],
      );
      const day = hour.slice(0, 10);
      const windows = {
        firstDay: day,
        entities: [{ id: entityId, hours: [2 ** Number(hour.slice(11, 13))] }],
      };
      await sql.query(
        `insert into backfill_chunks (backfill_id, chunk_key, position, path, windows, first_day, last_day, window_count, calls, status, failures, started_at, finished_at)
         values ($1, 'a-chunk', 0, 'batch', $2, $3, $3, 1, 1, $4, $5, now(), case when $6 then now() end)`,
        [id, windows, day, status, JSON.stringify(failures), ended],
      );
      return id;
    },
    judge(from: string, hours: number, given: Partial<JudgingQuestion> = {}) {
      const to = new Date(Date.parse(from) + hours * HOUR_MS);
      return judgeWindows(database, {
        ...{ pipeline: PIPELINE, source: SOURCE, from: new Date(from), to, overUntil: to, shards: 2 },
        ...{ isBehind: false, reading: [], publishedNotStored: [], mostAttempts: 3, historyFrom: null },
        ...{ openRepairs: [], begunAt: new Date(), letterTopics: [LIVE] },
        ...given,
      });
    },
    /** By `<id>/<hour>`; `version` differs after each writing. */
    async ledger(): Promise<ReadonlyMap<string, LedgerRow>> {
      const { rows } = await sql.query<LedgerRow & { id: string; hour: Date }>(
        `select entity_id as id, window_start as hour, verdict, reason, expected, observed, aggregated, evidence,
           xmin::text || ctid::text as version
         from window_completeness`,
      );
      return new Map(rows.map(({ id, hour, ...row }) => [`${id}/${hour.toISOString().slice(0, 13)}`, row]));
    },
    async changes(): Promise<readonly string[]> {
      const { rows } = await sql.query<{ change: string }>(
        `select entity_id || '/' || to_char(window_start, 'HH24') || ': ' || coalesce(previous_verdict, 'new') || ' → ' || verdict as change
         from window_completeness_changes order by changed_at, entity_id, window_start`,
      );
      return rows.map(({ change }) => change);
    },
    async close(): Promise<void> {
      await database.close();
      await sql.query(`drop schema ${schema} cascade`);
      await sql.end();
    },
  };
}
