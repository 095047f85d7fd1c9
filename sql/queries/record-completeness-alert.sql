update completeness_checks
set alert = $3
where pipeline = $1
  and check_id = $2
