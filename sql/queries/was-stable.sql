-- Whether a submission of the job was ever stable: then it had completed a checkpoint. That of a new version is confirmed first.
select sequence
from flink_job_events
where job_name = $1
  and flink_job_id = $2
  and event in ('becameStable', 'confirmed')
limit 1
