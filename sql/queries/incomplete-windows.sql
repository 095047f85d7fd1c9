-- Windows of these hours ($2) that were judged to have too few observations, whatever their verdict.
select
  entity_id,
  window_start
from window_completeness
where pipeline = $1
  and window_start = any($2::timestamptz[])
  and observed < expected
limit $3
