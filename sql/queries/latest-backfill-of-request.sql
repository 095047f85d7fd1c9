select
  backfill_id,
  repeat,
  status
from backfills
where request_key = $1
order by repeat desc
limit 1
