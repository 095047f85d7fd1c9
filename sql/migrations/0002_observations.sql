-- The truth: one row for each (city, time of observation). Metric units. A measurement the source did not give is null.
create table observations (
  city_id bigint not null,
  observed_at timestamptz not null,
  city_name text,
  country text,
  lon double precision,
  lat double precision,
  temp double precision,
  feels_like double precision,
  temp_min double precision,
  temp_max double precision,
  pressure double precision,
  pressure_sea_level double precision,
  pressure_ground_level double precision,
  humidity double precision,
  visibility double precision,
  wind_speed double precision,
  wind_direction double precision,
  wind_gust double precision,
  clouds double precision,
  rain_1h double precision,
  snow_1h double precision,
  condition_id integer,
  condition text,
  condition_description text,
  condition_icon text,
  conditions jsonb,
  topic text not null,
  partition_id integer not null,
  record_offset bigint not null,
  published_at timestamptz not null,
  revision integer not null default 0,
  stored_at timestamptz not null default now(),
  primary key (city_id, observed_at)
) partition by range (observed_at);

comment on table observations is 'One row per city and time of observation; the stored row wins over a later one with the same key.';
comment on column observations.temp is '°C';
comment on column observations.pressure is 'hPa';
comment on column observations.humidity is '%';
comment on column observations.visibility is 'm, at most 10000';
comment on column observations.wind_speed is 'm/s';
comment on column observations.wind_direction is 'degrees, where the wind comes from';
comment on column observations.clouds is '%';
comment on column observations.rain_1h is 'mm in the hour before the observation';
comment on column observations.snow_1h is 'mm in the hour before the observation';
comment on column observations.published_at is 'the record''s Kafka timestamp';
comment on column observations.revision is 'raised only by an explicit reprocessing';

create table observations_default partition of observations default;

create function keep_stored_row() returns trigger
language plpgsql as $$
begin
  return null;
end
$$;

-- The sink writes upserts; this turns one for a key that is already stored into nothing.
create trigger stored_observation_wins
  before update on observations
  for each row
  when (new.revision <= old.revision)
  execute function keep_stored_row();

-- Makes the monthly partitions of a range of months and moves in what the default partition holds of them.
-- Returns how many were made. Safe to call at any time, also twice at once, also while rows are written.
create function ensure_observation_partitions(first_month date, last_month date) returns integer
language plpgsql as $$
declare
  month date := date_trunc('month', first_month)::date;
  partition text;
  made integer := 0;
begin
  perform pg_advisory_xact_lock(hashtext('ensure_observation_partitions'));
  while month <= last_month loop
    partition := 'observations_' || to_char(month, 'YYYY_MM');
    if to_regclass(format('%I.%I', current_schema(), partition)) is null then
      -- Writers wait before they have chosen a partition: one that had chosen the default would find its row refused there
      -- once the new partition exists. Readers go on.
      lock table only observations in share row exclusive mode;
      lock table observations_default in access exclusive mode;
      execute format('create table %I (like observations including defaults including comments)', partition);
      execute format(
        'with moved as (delete from observations_default where observed_at >= %1$L and observed_at < %2$L returning *) insert into %3$I select * from moved',
        month::timestamp at time zone 'UTC',
        (month + interval '1 month')::timestamp at time zone 'UTC',
        partition
      );
      execute format(
        'alter table observations attach partition %I for values from (%L) to (%L)',
        partition,
        month::timestamp at time zone 'UTC',
        (month + interval '1 month')::timestamp at time zone 'UTC'
      );
      made := made + 1;
    end if;
    month := (month + interval '1 month')::date;
  end loop;
  return made;
end
$$;

select ensure_observation_partitions(
  (now() at time zone 'UTC' - interval '1 month')::date,
  (now() at time zone 'UTC' + interval '2 months')::date
);
