-- How many letters a run has brought to each outcome.
select
  outcome,
  count(*) as letters
from dead_letters
where replayed_by = $1
  and outcome is not null
group by outcome
