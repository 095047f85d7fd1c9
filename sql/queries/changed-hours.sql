-- The hours that end before $2 with observations stored, or rows made anew, since $1.
select date_bin('1 hour', observed_at, 'epoch') as window_start
from ${facts}
where stored_at >= $1
  and observed_at < $2
union
select window_start
from ${windows}
where updated_at >= $1
  and window_start < $2
order by window_start
