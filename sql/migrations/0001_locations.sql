-- The registry: which cities are watched, how often, and from when. What is expected is enumerated from here, never from data.
create table locations (
  city_id bigint primary key,
  name text not null,
  country text not null check (country ~ '^[A-Z]{2}$'),
  lat double precision not null check (lat between -90 and 90),
  lon double precision not null check (lon between -180 and 180),
  timezone text not null,
  cadence_minutes integer not null default 10 check (cadence_minutes between 1 and 1440),
  min_observations_per_hour integer not null default 4 check (min_observations_per_hour >= 1),
  active_from timestamptz not null default now(),
  active_to timestamptz,
  check (active_to is null or active_to > active_from)
);

-- What ingestion last had of each location: when it was polled, and the time of the observation it was given then.
create table location_polls (
  pipeline text not null,
  source text not null,
  city_id bigint not null references locations,
  polled_at timestamptz not null,
  observed_at timestamptz not null,
  primary key (pipeline, source, city_id)
);

create table ingest_runs (
  pipeline text not null,
  source text not null,
  shard integer not null,
  scheduled_at timestamptz not null,
  started_at timestamptz not null,
  finished_at timestamptz,
  due integer not null default 0,
  called integer not null default 0,
  published integer not null default 0,
  unchanged integer not null default 0,
  failed integer not null default 0,
  rejected integer not null default 0,
  workflow_run_id text not null,
  primary key (pipeline, source, shard, scheduled_at)
);

-- A database belongs to one source: invented and real hours never mix.
create table data_source (
  only_row boolean primary key default true check (only_row),
  source text not null,
  claimed_at timestamptz not null default now()
);
