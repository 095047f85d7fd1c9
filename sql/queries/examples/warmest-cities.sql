-- The ten cities that are warmest in the running hour, beside the ten that are coldest.
with
  ranked as (
    select
      l.name,
      round(h.temp_avg::numeric, 1) as temp,
      row_number() over (order by h.temp_avg desc, l.name) as from_warmest,
      row_number() over (order by h.temp_avg, l.name) as from_coldest
    from weather_hourly h
    join locations l using (city_id)
    where h.window_start = date_trunc('hour', now())
      and h.temp_avg is not null
  )
select
  w.from_warmest as place,
  w.name as warmest,
  w.temp as warmest_temp,
  c.name as coldest,
  c.temp as coldest_temp
from ranked w
join ranked c on c.from_coldest = w.from_warmest
where w.from_warmest <= 10
order by place
