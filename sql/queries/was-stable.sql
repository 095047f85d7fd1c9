-- Whether a submission of the job was ever stable: then it had completed a checkpoint.
select sequence
from flink_job_events
where job_name = $1
  and flink_job_id = $2
  and event = 'becameStable'
limit 1
