-- What is finished stays as it is.
update savepoints
set
  status = $3,
  path = $4,
  error = $5,
  finished_at = now()
where job_name = $1
  and trigger_id = $2
  and status in ('pending', 'in_progress')
