-- The ids in Flink of a job's submissions, the newest first.
select flink_job_id
from flink_job_events
where job_name = $1
  and flink_job_id is not null
group by flink_job_id
order by max(sequence) desc
limit 20
