-- Seconds from the publishing of a live record to the row that holds it: of cities with ids in [$1, $2), published in [$3, $4).
with live as (
  select
    city_id,
    date_bin('1 hour', observed_at, '2000-01-01T00:00:00Z') as window_start,
    published_at,
    stored_at
  from observations
  where city_id >= $1
    and city_id < $2
),
ages as (
  select
    'observations' as what,
    extract(epoch from stored_at - published_at)::double precision as seconds
  from live
  where published_at >= $3
    and published_at < $4
  union all
  select
    'weather_hourly',
    extract(epoch from h.updated_at - newest.published_at)::double precision
  from weather_hourly as h
  join (
    select
      city_id,
      window_start,
      max(published_at) as published_at
    from live
    group by
      city_id,
      window_start
  ) as newest using (city_id, window_start)
  where newest.published_at >= $3
    and newest.published_at < $4
)
select
  what,
  count(*)::integer as records,
  percentile_cont(0.5) within group (order by seconds) as p50,
  percentile_cont(0.95) within group (order by seconds) as p95,
  percentile_cont(0.99) within group (order by seconds) as p99,
  max(seconds) as max
from ages
group by what
order by what
