-- The last notice that a check has given.
select alert
from completeness_checks
where pipeline = $1
  and alert is not null
order by began_at desc
limit 1
