select
  status,
  count(*) as chunks,
  sum(window_count) as windows,
  sum(calls) as calls,
  coalesce(sum(records), 0)::bigint as records
from backfill_chunks
where backfill_id = $1
group by status
