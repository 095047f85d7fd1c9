select
  status,
  flink_job_id,
  path,
  error,
  disposed_at
from savepoints
where job_name = $1
  and trigger_id = $2
