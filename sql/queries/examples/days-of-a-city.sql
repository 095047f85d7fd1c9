-- Each day of each city in the last week: lowest and highest temperature, rain, and how many of its hours have a row.
select
  l.name as city,
  (h.window_start at time zone l.timezone)::date as day,
  count(*) as hours,
  round(min(h.temp_min)::numeric, 1) as temp_min,
  round(max(h.temp_max)::numeric, 1) as temp_max,
  round(sum(h.rain_mm)::numeric, 1) as rain_mm
from weather_hourly h
join locations l using (city_id)
where h.window_start > now() - interval '7 days'
group by l.name, day
order by l.name, day desc
