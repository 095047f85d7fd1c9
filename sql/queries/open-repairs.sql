-- Backfills of a pipeline that repair and are in one of the states $2.
select
  backfill_id,
  status,
  workflow_id
from backfills
where pipeline = $1
  and purpose = 'repair'
  and status = any($2::text[])
order by backfill_id
