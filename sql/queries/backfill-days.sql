-- Each location on each day of the range from $2 to $3: which hours are expected, complete, failed at by an earlier backfill, and
-- under repair; sets of hours, of which bit h stands for the hour that begins at h:00 UTC. What is expected comes from the registry
-- and the calendar alone. $5 and $6: states of open backfills, and of chunks that have ended. $7: the source is asked, so hours that are
-- complete at it are complete.
with watched as (
  select
    ${key} as entity_id,
    min_observations_per_hour,
    active_from,
    active_to
  from ${registry}
  where $4::bigint[] is null
    or ${key} = any($4::bigint[])
),
calendar as (
  select
    day::date as day,
    day as day_start
  from generate_series(
    date_trunc('day', $2::timestamptz, 'UTC'),
    $3::timestamptz - interval '1 hour',
    interval '1 day',
    'UTC'
  ) as day
),
counted as (
  select
    ${key} as entity_id,
    date_trunc('hour', observed_at, 'UTC') as window_start,
    count(*) as observations
  from ${facts}
  where observed_at >= $2
    and observed_at < $3
    and ($4::bigint[] is null or ${key} = any($4::bigint[]))
  group by
    entity_id,
    window_start
),
complete_hours as (
  select
    c.entity_id,
    c.window_start
  from counted c
  join watched w
    on w.entity_id = c.entity_id
    and c.observations >= w.min_observations_per_hour
  union all
  -- Of which the source has no more: asking it once more brings nothing.
  select
    entity_id,
    window_start
  from window_completeness
  where $7
    and pipeline = $1
    and window_start >= $2
    and window_start < $3
    and verdict = 'complete_at_source'
),
complete as (
  select
    entity_id,
    (window_start at time zone 'UTC')::date as day,
    bit_or(1 << extract(hour from window_start at time zone 'UTC')::integer) as hours
  from complete_hours
  group by
    entity_id,
    day
),
-- What backfills have done or are to do on these days; the windows of a chunk, day by day.
planned as (
  select
    c.backfill_id,
    c.chunk_key,
    (entity.value ->> 'id')::bigint as entity_id,
    c.first_day + (set.position - 1)::integer as day,
    set.hours::integer as hours,
    c.status,
    c.finished_at,
    b.purpose,
    b.status as backfill_status
  from backfill_chunks c
  join backfills b
    on b.backfill_id = c.backfill_id
    and b.pipeline = $1
  cross join lateral jsonb_array_elements(c.windows -> 'entities') as entity
  cross join lateral jsonb_array_elements_text(entity.value -> 'hours') with ordinality as set (hours, position)
  where c.first_day < $3::timestamptz at time zone 'UTC'
    and c.last_day >= date_trunc('day', $2::timestamptz at time zone 'UTC')
    and set.hours <> '0'
),
-- Less the hours that a later chunk has loaded.
failed_parts as (
  select
    f.entity_id,
    f.day,
    f.hours & ~coalesce(bit_or(l.hours), 0) as hours
  from planned f
  left join planned l
    on l.entity_id = f.entity_id
    and l.day = f.day
    and l.status = 'done'
    and l.finished_at > f.finished_at
  where f.status = 'failed'
  group by
    f.backfill_id,
    f.chunk_key,
    f.entity_id,
    f.day,
    f.hours
),
failed as (
  select
    entity_id,
    day,
    bit_or(hours) as hours
  from failed_parts
  group by
    entity_id,
    day
),
under_repair as (
  select
    entity_id,
    day,
    bit_or(hours) as hours
  from planned
  where purpose = 'repair'
    and backfill_status = any($5::text[])
    and status <> all($6::text[])
  group by
    entity_id,
    day
)
select
  w.entity_id,
  to_char(d.day, 'YYYY-MM-DD') as day,
  case
    when active.until > active.since then (1 << active.until) - (1 << active.since)
    else 0
  end as expected,
  coalesce(c.hours, 0) as complete,
  coalesce(f.hours, 0) as failed,
  coalesce(u.hours, 0) as under_repair
from watched w
cross join calendar d
cross join lateral (
  select
    least(24, greatest(0, ceil(extract(epoch from w.active_from - d.day_start) / 3600)))::integer as since,
    least(24, greatest(0, coalesce(floor(extract(epoch from w.active_to - d.day_start) / 3600), 24)))::integer as until
) as active
left join complete c
  on c.entity_id = w.entity_id
  and c.day = d.day
left join failed f
  on f.entity_id = w.entity_id
  and f.day = d.day
left join under_repair u
  on u.entity_id = w.entity_id
  and u.day = d.day
order by
  w.entity_id,
  d.day
