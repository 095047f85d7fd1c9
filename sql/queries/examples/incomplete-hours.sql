-- Hours that are not complete, with the reason, the newest first.
select
  l.name as city,
  c.window_start,
  c.verdict,
  c.reason,
  c.observed,
  c.expected,
  c.attempts
from window_completeness c
join locations l on l.city_id = c.entity_id
where c.verdict in ('partial', 'missing', 'mismatched', 'behind', 'repairing', 'unrepairable')
order by c.window_start desc, l.name
limit 60
