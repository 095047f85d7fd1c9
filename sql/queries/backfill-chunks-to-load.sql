-- Chunks whose records are in the topic of older history, and whose hours are still to be made anew, in their order; $3 narrows them.
select
  chunk_key,
  position,
  path,
  windows,
  window_count,
  calls,
  status,
  attempts,
  records,
  offsets,
  failures,
  error,
  started_at,
  finished_at
from backfill_chunks
where backfill_id = $1
  and path = 'batch'
  and status in ('published', 'loaded')
  and ($3::text[] is null or chunk_key = any($3::text[]))
order by position
limit $2
