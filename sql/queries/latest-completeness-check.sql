-- The check that ended last.
select
  check_id,
  judged_from,
  judged_to,
  began_at,
  ended_at,
  stored_until,
  log_ends,
  counts,
  changed
from completeness_checks
where pipeline = $1
  and ended_at is not null
order by began_at desc
limit 1
