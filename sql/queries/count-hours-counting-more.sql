-- How many rows of the hours from $1 to $2 count more observations than are stored.
select count(*)::integer as hours
from ${windows} h
where h.window_start >= $1
  and h.window_start < $2
  and h.observation_count > (
    select count(*)
    from ${facts} o
    where o.${key} = h.${key}
      and o.observed_at >= h.window_start
      and o.observed_at < h.window_end
  )
