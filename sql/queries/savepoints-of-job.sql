-- The newest first.
select
  trigger_id,
  flink_job_id,
  version,
  kind,
  status,
  path,
  error,
  created_at,
  finished_at,
  disposed_at
from savepoints
where job_name = $1
order by created_at desc, trigger_id
limit $2
