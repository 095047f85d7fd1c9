-- How many rows of the hours from $1 to $2 count more observations than are stored.
select count(*)::integer as hours
from weather_hourly h
where h.window_start >= $1
  and h.window_start < $2
  and h.observation_count > (
    select count(*)
    from observations o
    where o.city_id = h.city_id
      and o.observed_at >= h.window_start
      and o.observed_at < h.window_end
  )
