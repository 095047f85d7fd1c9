update savepoints
set disposed_at = now()
where job_name = $1
  and trigger_id = $2
