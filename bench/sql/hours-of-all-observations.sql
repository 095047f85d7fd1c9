insert into weather_hourly
select
  city_id,
  hour.window_start,
  hour.window_start + interval '1 hour',
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
  sum(rain_1h) / count(*),
  sum(snow_1h) / count(*),
  min(observed_at),
  max(observed_at),
  now(),
  'batch'
from observations
cross join lateral (
  select date_bin('1 hour', observed_at, 'epoch') as window_start
) as hour
group by
  city_id,
  hour.window_start
