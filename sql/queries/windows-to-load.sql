-- What a backfill that begins, or begins again, is to load.
select windows
from backfill_chunks
where backfill_id = $1
  and status <> 'done'
order by position
