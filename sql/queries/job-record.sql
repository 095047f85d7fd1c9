select
  desired,
  is_parked,
  state,
  desired_version,
  version,
  attempt,
  flink_job_id,
  restore_path,
  reason,
  sequence,
  upgrades,
  changed_at
from flink_jobs
where name = $1
