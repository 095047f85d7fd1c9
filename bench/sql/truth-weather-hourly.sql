insert into truth.weather_hourly
select
  city_id,
  to_timestamp(hour * 3600),
  to_timestamp(hour * 3600 + 3600),
  count(*),
  avg(temp), min(temp), max(temp),
  avg(humidity), min(humidity), max(humidity),
  avg(pressure), min(pressure), max(pressure),
  avg(wind_speed), min(wind_speed), max(wind_speed),
  avg(clouds), min(clouds), max(clouds),
  max(wind_gust),
  sum(rain_1h) / count(*),
  sum(snow_1h) / count(*),
  min(observed_at),
  max(observed_at),
  now(),
  'stream'
from (
  select *, floor(extract(epoch from observed_at) / 3600) as hour
  from truth.observations
) as o
group by
  city_id,
  hour
