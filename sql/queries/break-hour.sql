-- Takes the last $3 observations of a location's ($1) hour ($2) away, and makes its row ten degrees too warm. Only of invented weather.
with taken as (
  delete from observations
  where city_id = $1
    and observed_at in (
      select observed_at
      from observations
      where city_id = $1
        and observed_at >= $2
        and observed_at < $2::timestamptz + interval '1 hour'
      order by observed_at desc
      limit $3
    )
    and exists (
      select
      from data_source
      where source = 'mock'
    )
  returning
    observed_at,
    topic,
    partition_id,
    record_offset
),
warmed as (
  update weather_hourly
  set
    temp_avg = temp_avg + 10,
    temp_max = temp_max + 10
  where city_id = $1
    and window_start = $2
    and exists (
      select
      from data_source
      where source = 'mock'
    )
)
select
  observed_at,
  topic,
  partition_id,
  record_offset
from taken
order by observed_at
