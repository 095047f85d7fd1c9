select
  chunk_key,
  window_count,
  error
from backfill_chunks
where backfill_id = $1
  and status = 'failed'
order by position
limit $2
