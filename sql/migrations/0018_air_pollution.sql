-- What every pipeline's tables have in common, as functions by which a migration gives it to new ones; and the tables of the second
-- pipeline, air pollution. docs/add-a-pipeline.md shows how a third comes in.

-- A registry may be any table or view with the columns of locations, and its key any name.
alter table location_polls drop constraint location_polls_city_id_fkey;
alter table location_polls rename column city_id to entity_id;

-- Makes the monthly partitions of a range of months and moves in what the default partition holds of them.
-- Returns how many were made. Safe to call at any time, also twice at once, also while rows are written.
create function ensure_partitions(facts text, first_month date, last_month date) returns integer
language plpgsql as $$
declare
  month date := date_trunc('month', first_month)::date;
  partition text;
  made integer := 0;
begin
  perform pg_advisory_xact_lock(hashtext('ensure_partitions'));
  while month <= last_month loop
    partition := facts || '_' || to_char(month, 'YYYY_MM');
    if to_regclass(format('%I.%I', current_schema(), partition)) is null then
      -- Writers wait before they have chosen a partition: one that had chosen the default would find its row refused there
      -- once the new partition exists. Readers go on.
      execute format('lock table only %I in share row exclusive mode', facts);
      execute format('lock table %I in access exclusive mode', facts || '_default');
      execute format('create table %I (like %I including defaults including comments)', partition, facts);
      execute format(
        'with moved as (delete from %4$I where observed_at >= %1$L and observed_at < %2$L returning *) insert into %3$I select * from moved',
        month::timestamp at time zone 'UTC',
        (month + interval '1 month')::timestamp at time zone 'UTC',
        partition,
        facts || '_default'
      );
      execute format(
        'alter table %4$I attach partition %3$I for values from (%1$L) to (%2$L)',
        month::timestamp at time zone 'UTC',
        (month + interval '1 month')::timestamp at time zone 'UTC',
        partition,
        facts
      );
      made := made + 1;
    end if;
    month := (month + interval '1 month')::date;
  end loop;
  return made;
end
$$;

drop function ensure_observation_partitions(date, date);

-- A recompute may lower an hour only to what the facts hold at that moment: while the batch job counted, the stream may have stored,
-- and counted, one more. Its arguments: the table of the facts, and the key.
create function facts_hold_more() returns trigger
language plpgsql as $$
declare
  held bigint;
begin
  execute format(
    'select count(*) from %I where %I = ($1).%2$I and observed_at >= ($1).window_start and observed_at < ($1).window_end',
    tg_argv[0],
    tg_argv[1]
  )
  into held
  using new;
  if held > new.observation_count then
    return null;
  end if;
  return new;
end
$$;

drop trigger recompute_knows_every_observation on weather_hourly;
drop function observations_hold_more();
create trigger recompute_knows_every_observation
  before update on weather_hourly
  for each row
  when (new.origin = 'batch' and new.observation_count < old.observation_count)
  execute function facts_hold_more('observations', 'city_id');

-- Which changes of an hour's row are a step backwards, as a condition on the old row and the new: a lowest value that rises, a highest
-- that falls, any figure that is no longer known. It is made of the names of the columns: those on _min and _max, and the others.
create function steps_backwards(windows text) returns text
language sql stable
return (
  select string_agg(
    case
      when attname::text like '%\_min'
      then format('old.%1$I is not null and (new.%1$I is null or new.%1$I > old.%1$I)', attname)
      when attname::text like '%\_max'
      then format('old.%1$I is not null and (new.%1$I is null or new.%1$I < old.%1$I)', attname)
      else format('old.%1$I is not null and new.%1$I is null', attname)
    end,
    ' or '
    order by attnum
  )
  from pg_attribute
  where attrelid = to_regclass(format('%I', windows))
    and attnum > 0
    and not attisdropped
    and atttypid = 'double precision'::regtype
);

-- Gives two new tables what every pipeline's have: the months around now as partitions and one for all others, the index by arrival,
-- the guards (the stored row wins, no hour goes backwards, a recompute knows every observation), and the right to be written by Flink.
-- The facts are partitioned by range of observed_at.
create function guard_pipeline(facts text, windows text, key text) returns void
language plpgsql as $$
begin
  execute format('create table %I partition of %I default', facts || '_default', facts);
  perform ensure_partitions(
    facts,
    (now() at time zone 'UTC' - interval '1 month')::date,
    (now() at time zone 'UTC' + interval '2 months')::date
  );
  execute format(
    'create index %I on %I using brin (record_offset, stored_at) with (pages_per_range = 32)',
    facts || '_by_arrival',
    facts
  );
  execute format('create index %I on %I using brin (updated_at) with (pages_per_range = 32)', windows || '_by_change', windows);
  execute format(
    'create trigger stored_observation_wins before update on %I for each row when (new.revision <= old.revision) execute function keep_stored_row()',
    facts
  );
  execute format(
    'create trigger hour_never_goes_backwards before update on %I for each row when (
      new.origin = ''stream'' and (
        new.observation_count < old.observation_count
        or new.first_observed_at > old.first_observed_at
        or new.last_observed_at < old.last_observed_at
        or %s
        or old.origin = ''batch'' and not stream_owns_hour(old.window_end)
      )
    ) execute function keep_stored_row()',
    windows,
    steps_backwards(windows)
  );
  execute format(
    'create trigger recompute_knows_every_observation before update on %I for each row when (
      new.origin = ''batch'' and new.observation_count < old.observation_count
    ) execute function facts_hold_more(%L, %L)',
    windows,
    facts,
    key
  );
  execute format(
    'create trigger updated_at_is_the_databases before update on %I for each row execute function touch_updated_at()',
    windows
  );
  execute format(
    'grant select, insert, update on %I, %I to %I',
    facts,
    windows,
    current_setting('hourglass.pipeline_role')
  );
end
$$;

-- What the rows of weather_hourly must be, from $1 to $2, of some locations or of all. PostgreSQL looks through it, as through a view.
create function weather_hourly_truth(since timestamptz, until timestamptz, entities bigint[])
returns table (
  city_id bigint,
  window_start timestamptz,
  observation_count bigint,
  temp_avg double precision,
  temp_min double precision,
  temp_max double precision,
  humidity_avg double precision,
  humidity_min double precision,
  humidity_max double precision,
  pressure_avg double precision,
  pressure_min double precision,
  pressure_max double precision,
  wind_avg double precision,
  wind_min double precision,
  wind_max double precision,
  clouds_avg double precision,
  clouds_min double precision,
  clouds_max double precision,
  gust_max double precision,
  rain_mm double precision,
  snow_mm double precision,
  first_observed_at timestamptz,
  last_observed_at timestamptz
)
language sql stable
begin atomic
  select
    o.city_id,
    date_bin('1 hour', o.observed_at, 'epoch'),
    count(*),
    -- What avg gives, without the squares that it sums up, too.
    sum(o.temp) / nullif(count(o.temp), 0),
    min(o.temp),
    max(o.temp),
    sum(o.humidity) / nullif(count(o.humidity), 0),
    min(o.humidity),
    max(o.humidity),
    sum(o.pressure) / nullif(count(o.pressure), 0),
    min(o.pressure),
    max(o.pressure),
    sum(o.wind_speed) / nullif(count(o.wind_speed), 0),
    min(o.wind_speed),
    max(o.wind_speed),
    sum(o.clouds) / nullif(count(o.clouds), 0),
    min(o.clouds),
    max(o.clouds),
    max(o.wind_gust),
    sum(o.rain_1h) / nullif(count(*) - count(*) filter (where o.rejected_values ? 'rain_1h'), 0),
    sum(o.snow_1h) / nullif(count(*) - count(*) filter (where o.rejected_values ? 'snow_1h'), 0),
    min(o.observed_at),
    max(o.observed_at)
  from observations o
  where o.observed_at >= since
    and o.observed_at < until
    and (entities is null or o.city_id = any(entities))
  group by
    o.city_id,
    date_bin('1 hour', o.observed_at, 'epoch');
end;

-- Whom the air is watched of: the same cities. The source has one value an hour.
create view air_locations as
select
  city_id,
  name,
  country,
  lat,
  lon,
  timezone,
  30 as cadence_minutes,
  1 as min_observations_per_hour,
  active_from,
  active_to
from locations;

comment on view air_locations is 'the registry of the pipeline air-pollution';

-- One row for each city and time; µg/m³. What the source did not give is null.
create table air_observations (
  city_id bigint not null,
  observed_at timestamptz not null,
  lon double precision,
  lat double precision,
  aqi double precision,
  co double precision,
  no double precision,
  no2 double precision,
  o3 double precision,
  so2 double precision,
  pm2_5 double precision,
  pm10 double precision,
  nh3 double precision,
  topic text not null,
  partition_id integer not null,
  record_offset bigint not null,
  published_at timestamptz not null,
  rejected_values jsonb,
  revision integer not null default 0,
  stored_at timestamptz not null default now(),
  primary key (city_id, observed_at)
) partition by range (observed_at);

comment on table air_observations is 'One row per city and time; the stored row wins over a later one with the same key.';
comment on column air_observations.aqi is 'air quality index of OpenWeatherMap: 1 good, 5 very poor';
comment on column air_observations.co is 'carbon monoxide, µg/m³';
comment on column air_observations.no is 'nitrogen monoxide, µg/m³';
comment on column air_observations.no2 is 'nitrogen dioxide, µg/m³';
comment on column air_observations.o3 is 'ozone, µg/m³';
comment on column air_observations.so2 is 'sulphur dioxide, µg/m³';
comment on column air_observations.pm2_5 is 'fine dust up to 2.5 µm, µg/m³';
comment on column air_observations.pm10 is 'dust up to 10 µm, µg/m³';
comment on column air_observations.nh3 is 'ammonia, µg/m³';
comment on column air_observations.rejected_values is 'impossible values that were set to null, with the range each had to lie in';

-- A projection of air_observations: one row for each city and hour (UTC).
create table air_hourly (
  city_id bigint not null,
  window_start timestamptz not null,
  window_end timestamptz not null,
  observation_count bigint not null,
  aqi_avg double precision,
  aqi_min double precision,
  aqi_max double precision,
  co_avg double precision,
  co_min double precision,
  co_max double precision,
  no_avg double precision,
  no_min double precision,
  no_max double precision,
  no2_avg double precision,
  no2_min double precision,
  no2_max double precision,
  o3_avg double precision,
  o3_min double precision,
  o3_max double precision,
  so2_avg double precision,
  so2_min double precision,
  so2_max double precision,
  pm2_5_avg double precision,
  pm2_5_min double precision,
  pm2_5_max double precision,
  pm10_avg double precision,
  pm10_min double precision,
  pm10_max double precision,
  nh3_avg double precision,
  nh3_min double precision,
  nh3_max double precision,
  first_observed_at timestamptz not null,
  last_observed_at timestamptz not null,
  updated_at timestamptz not null default now(),
  origin text not null check (origin in ('stream', 'batch')),
  primary key (city_id, window_start)
) with (fillfactor = 50);

select guard_pipeline('air_observations', 'air_hourly', 'city_id');

-- What the rows of air_hourly must be, from $1 to $2, of some locations or of all.
create function air_hourly_truth(since timestamptz, until timestamptz, entities bigint[])
returns table (
  city_id bigint,
  window_start timestamptz,
  observation_count bigint,
  aqi_avg double precision,
  aqi_min double precision,
  aqi_max double precision,
  co_avg double precision,
  co_min double precision,
  co_max double precision,
  no_avg double precision,
  no_min double precision,
  no_max double precision,
  no2_avg double precision,
  no2_min double precision,
  no2_max double precision,
  o3_avg double precision,
  o3_min double precision,
  o3_max double precision,
  so2_avg double precision,
  so2_min double precision,
  so2_max double precision,
  pm2_5_avg double precision,
  pm2_5_min double precision,
  pm2_5_max double precision,
  pm10_avg double precision,
  pm10_min double precision,
  pm10_max double precision,
  nh3_avg double precision,
  nh3_min double precision,
  nh3_max double precision,
  first_observed_at timestamptz,
  last_observed_at timestamptz
)
language sql stable
begin atomic
  select
    o.city_id,
    date_bin('1 hour', o.observed_at, 'epoch'),
    count(*),
    sum(o.aqi) / nullif(count(o.aqi), 0),
    min(o.aqi),
    max(o.aqi),
    sum(o.co) / nullif(count(o.co), 0),
    min(o.co),
    max(o.co),
    sum(o.no) / nullif(count(o.no), 0),
    min(o.no),
    max(o.no),
    sum(o.no2) / nullif(count(o.no2), 0),
    min(o.no2),
    max(o.no2),
    sum(o.o3) / nullif(count(o.o3), 0),
    min(o.o3),
    max(o.o3),
    sum(o.so2) / nullif(count(o.so2), 0),
    min(o.so2),
    max(o.so2),
    sum(o.pm2_5) / nullif(count(o.pm2_5), 0),
    min(o.pm2_5),
    max(o.pm2_5),
    sum(o.pm10) / nullif(count(o.pm10), 0),
    min(o.pm10),
    max(o.pm10),
    sum(o.nh3) / nullif(count(o.nh3), 0),
    min(o.nh3),
    max(o.nh3),
    min(o.observed_at),
    max(o.observed_at)
  from air_observations o
  where o.observed_at >= since
    and o.observed_at < until
    and (entities is null or o.city_id = any(entities))
  group by
    o.city_id,
    date_bin('1 hour', o.observed_at, 'epoch');
end;
