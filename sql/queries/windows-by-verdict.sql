-- How many windows are not good now, by verdict and of any age: as the index of what is to be mended knows them.
select
  verdict,
  count(*)::integer as windows
from window_completeness
where pipeline = $1
  and verdict in ('partial', 'missing', 'mismatched', 'behind', 'repairing', 'unrepairable')
group by verdict
