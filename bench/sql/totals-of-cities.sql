-- What both tables hold of the cities with ids in [$1, $2) of the times in [$3, $4).
with rows as (
  select
    count(*)::double precision as observations,
    coalesce(sum(temp), 0) as temperatures
  from observations
  where city_id >= $1
    and city_id < $2
    and observed_at >= $3
    and observed_at < $4
),
hours as (
  select
    count(*)::double precision as hours,
    coalesce(sum(observation_count), 0)::double precision as counted,
    coalesce(sum(temp_avg * observation_count), 0) as temperatures
  from weather_hourly
  where city_id >= $1
    and city_id < $2
    and window_start >= $3
    and window_start < $4
)
select
  observations,
  hours,
  counted,
  rows.temperatures,
  hours.temperatures as "temperaturesOfHours"
from rows
cross join hours
