update flink_jobs
set
  state = $2,
  restore_path = nullif($3, ''),
  changed_at = now()
where name = $1
