-- Those of the hours $2 in which some location's row was found to count more observations than are stored.
select distinct window_start
from window_completeness
where pipeline = $1
  and window_start = any($2::timestamptz[])
  and aggregated > observed
