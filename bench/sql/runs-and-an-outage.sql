-- A completed run in each minute of the two hours and the one after, in which a seventh of those due had nothing new; and ten thousand
-- locations that are expected to have an observation more than they have.
with runs as (
  insert into ingest_runs (
    pipeline,
    source,
    shard,
    shards,
    scheduled_at,
    started_at,
    finished_at,
    status,
    workflow_run_id,
    unchanged_ids
  )
  select
    'weather',
    'mock',
    0,
    1,
    minute,
    minute,
    minute + interval '59 s',
    'completed',
    'a-run',
    array(
      select city_id
      from locations
      where city_id % 10 = extract(minute from minute)::integer % 10
        and city_id % 7 = extract(hour from minute)::integer % 7
    )
  from generate_series('2026-01-15T10:00:00Z'::timestamptz, '2026-01-15T12:59:00Z', '1 minute') as minute
)
update locations
set min_observations_per_hour = 7
where city_id <= 10000
