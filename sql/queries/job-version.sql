select
  statements,
  settings,
  created_at
from flink_job_versions
where name = $1
  and version = $2
