-- Hours as a whole, from their observations: what the merging of means cannot do exactly.
insert into weather_hourly (
  city_id,
  window_start,
  window_end,
  observation_count,
  temp_avg,
  temp_min,
  temp_max,
  humidity_avg,
  humidity_min,
  humidity_max,
  pressure_avg,
  pressure_min,
  pressure_max,
  wind_avg,
  wind_min,
  wind_max,
  clouds_avg,
  clouds_min,
  clouds_max,
  gust_max,
  rain_mm,
  snow_mm,
  first_observed_at,
  last_observed_at,
  origin
)
select
  city_id,
  window_start,
  window_start + interval '1 hour',
  count(*),
  avg(temp),
  min(temp),
  max(temp),
  avg(humidity),
  min(humidity),
  max(humidity),
  avg(pressure),
  min(pressure),
  max(pressure),
  avg(wind_speed),
  min(wind_speed),
  max(wind_speed),
  avg(clouds),
  min(clouds),
  max(clouds),
  max(wind_gust),
  sum(rain_1h) / nullif(count(*) filter (where rejected_values -> 'rain_1h' is null), 0),
  sum(snow_1h) / nullif(count(*) filter (where rejected_values -> 'snow_1h' is null), 0),
  min(observed_at),
  max(observed_at),
  'stream'
from unnest($1::bigint[], $2::timestamptz[]) as hour (city_id, window_start)
join observations using (city_id)
where observed_at >= window_start
  and observed_at < window_start + interval '1 hour'
group by
  city_id,
  window_start
order by
  city_id,
  window_start
on conflict (city_id, window_start) do update
set
  observation_count = excluded.observation_count,
  temp_avg = excluded.temp_avg,
  temp_min = excluded.temp_min,
  temp_max = excluded.temp_max,
  humidity_avg = excluded.humidity_avg,
  humidity_min = excluded.humidity_min,
  humidity_max = excluded.humidity_max,
  pressure_avg = excluded.pressure_avg,
  pressure_min = excluded.pressure_min,
  pressure_max = excluded.pressure_max,
  wind_avg = excluded.wind_avg,
  wind_min = excluded.wind_min,
  wind_max = excluded.wind_max,
  clouds_avg = excluded.clouds_avg,
  clouds_min = excluded.clouds_min,
  clouds_max = excluded.clouds_max,
  gust_max = excluded.gust_max,
  rain_mm = excluded.rain_mm,
  snow_mm = excluded.snow_mm,
  first_observed_at = excluded.first_observed_at,
  last_observed_at = excluded.last_observed_at
