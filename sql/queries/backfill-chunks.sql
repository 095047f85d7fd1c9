-- The chunks of a backfill in their order; $2 narrows them to one.
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
  and ($2::text is null or chunk_key = $2)
order by position
