-- The months of a backfill's windows.
select ensure_observation_partitions(min(first_day), max(last_day)) as made
from backfill_chunks
where backfill_id = $1
having count(*) > 0
