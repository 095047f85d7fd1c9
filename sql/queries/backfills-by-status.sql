-- How many backfills of a pipeline there are in each state.
select
  status,
  count(*)::integer as backfills
from backfills
where pipeline = $1
group by status
