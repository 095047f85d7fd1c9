-- Completed and not disposed of, the newest first.
select
  trigger_id,
  path,
  finished_at
from savepoints
where job_name = $1
  and status = 'completed'
  and disposed_at is null
order by finished_at desc, trigger_id
