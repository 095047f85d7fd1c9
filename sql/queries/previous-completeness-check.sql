-- When the last check before this one ended.
select ended_at
from completeness_checks
where pipeline = $1
  and check_id <> $2
  and ended_at is not null
order by began_at desc
limit 1
