-- The months of a backfill's windows.
select ensure_partitions('${facts}', min(first_day), max(last_day)) as made
from backfill_chunks
where backfill_id = $1
having count(*) > 0
