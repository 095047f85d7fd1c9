insert into savepoints (job_name, trigger_id, flink_job_id, version, kind, status)
values ($1, $2, $3, $4, $5, 'pending')
on conflict (job_name, trigger_id) do nothing
