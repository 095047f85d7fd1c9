select
  version,
  attempt,
  flink_job_id,
  restore_path
from flink_jobs
where name = $1
