-- The hourly weather: one row for each city and hour, the running hour among them, of the last three hours.
select
  l.name as city,
  h.window_start,
  h.observation_count as observations,
  round(h.temp_avg::numeric, 1) as temp_avg,
  round(h.temp_min::numeric, 1) as temp_min,
  round(h.temp_max::numeric, 1) as temp_max,
  round(h.humidity_avg::numeric) as humidity_avg,
  round(h.wind_avg::numeric, 1) as wind_avg
from weather_hourly h
join locations l using (city_id)
where h.window_start > now() - interval '3 hours'
order by h.window_start desc, l.name
limit 60
