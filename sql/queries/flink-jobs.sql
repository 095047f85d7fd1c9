select
  name,
  state,
  version,
  attempt,
  flink_job_id
from flink_jobs
order by name
