insert into backfill_chunks (
  backfill_id,
  chunk_key,
  position,
  path,
  windows,
  first_day,
  last_day,
  window_count,
  calls
)
select
  $1,
  chunk.key,
  chunk.position,
  chunk.path,
  chunk.windows,
  chunk.first_day,
  chunk.last_day,
  chunk.window_count,
  chunk.calls
from jsonb_to_recordset($2::jsonb) as chunk (
  key text,
  position integer,
  path text,
  windows jsonb,
  first_day date,
  last_day date,
  window_count integer,
  calls integer
)
