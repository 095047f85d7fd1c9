-- Seconds from the publishing of an observation to the row that holds it.
with ages as (
  select
    'observations' as what,
    extract(epoch from stored_at - published_at)::double precision as seconds
  from freshness.observations
  where published_at >= $1
  union all
  select
    'weather_hourly',
    extract(epoch from h.updated_at - newest.published_at)::double precision
  from freshness.weather_hourly as h
  join (
    select
      city_id,
      date_bin('1 hour', observed_at, '2000-01-01T00:00:00Z') as window_start,
      max(published_at) as published_at
    from freshness.observations
    group by
      city_id,
      window_start
  ) as newest using (city_id, window_start)
  where newest.published_at >= $1
)
select
  what,
  percentile_cont(0.5) within group (order by seconds) as p50,
  percentile_cont(0.95) within group (order by seconds) as p95,
  max(seconds) as max
from ages
group by what
order by what
