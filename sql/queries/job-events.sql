-- The newest first. $1 the job, $2 how many.
select
  sequence,
  happened_at,
  event,
  state,
  version,
  attempt,
  flink_job_id,
  reason
from flink_job_events
where job_name = $1
order by sequence desc
limit $2
