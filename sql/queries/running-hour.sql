-- The hours that contain this moment, the last changed first.
select
  coalesce(l.name, h.city_id::text) as name,
  coalesce(l.country, '') as country,
  h.observation_count,
  h.temp_avg,
  h.temp_min,
  h.temp_max,
  h.humidity_avg,
  h.wind_avg,
  h.last_observed_at,
  h.updated_at
from weather_hourly h
left join locations l on l.city_id = h.city_id
where h.window_start = date_trunc('hour', now())
order by
  h.updated_at desc,
  h.city_id
limit $1
