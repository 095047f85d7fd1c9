select
  name,
  desired,
  is_parked,
  state,
  desired_version,
  version,
  attempt,
  flink_job_id,
  restore_path,
  reason,
  changed_at
from flink_jobs
order by name
