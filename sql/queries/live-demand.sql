-- How many locations are polled at each cadence, those that begin later among them.
select
  cadence_minutes,
  count(*) as locations
from ${registry}
where active_to is null
  or active_to > $1
group by cadence_minutes
order by cadence_minutes
