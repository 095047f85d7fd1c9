update savepoints
set status = 'in_progress'
where job_name = $1
  and trigger_id = $2
  and status = 'pending'
