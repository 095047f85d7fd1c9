-- Chunks that have not ended and could not get the records of some locations; all of the backfill's, or those in $2.
select
  chunk_key,
  failures,
  jsonb_array_length(windows -> 'entities') as locations
from backfill_chunks
where backfill_id = $1
  and ($2::text[] is null or chunk_key = any($2::text[]))
  and failures <> '[]'
  and status in ('published', 'loaded')
order by position
