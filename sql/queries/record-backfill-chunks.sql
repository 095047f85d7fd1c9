-- The same for several chunks: each goes from a state in $3 to the one beside it in $4, which is a last one or not ($5).
update backfill_chunks c
set
  status = step.next,
  attempts = attempts + $6::boolean::integer,
  started_at = case when $6::boolean then now() else started_at end,
  finished_at = case when step.is_last then now() end,
  error = $7
from unnest($3::text[], $4::text[], $5::boolean[]) as step (status, next, is_last)
where c.backfill_id = $1
  and ($2::text[] is null or c.chunk_key = any($2::text[]))
  and c.status = step.status
returning c.chunk_key
