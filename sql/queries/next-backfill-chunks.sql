-- What is to be begun next, without the windows: these are read by whoever loads them. What was under way when its run broke off is
-- begun again: one that is fetched, and one that waits for the stream.
select
  chunk_key,
  position,
  path,
  window_count,
  calls
from backfill_chunks
where backfill_id = $1
  and (
    status in ('pending', 'fetching')
    or (path = 'stream' and status in ('published', 'loaded'))
  )
  and position > $2
order by position
limit $3
