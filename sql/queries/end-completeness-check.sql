update completeness_checks
set
  ended_at = now(),
  counts = $3,
  changed = $4
where pipeline = $1
  and check_id = $2
