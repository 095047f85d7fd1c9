-- The hours of the location $1 from $2 up to, and without, $3.
select
  window_start,
  observation_count,
  temp_avg,
  temp_min,
  temp_max,
  rain_mm,
  snow_mm
from weather_hourly
where city_id = $1
  and window_start >= $2
  and window_start < $3
order by window_start
