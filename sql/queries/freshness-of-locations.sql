-- How old the newest published observation of the active locations is, in seconds: of half of them at most median_age, and so on.
-- Locations that have none are only counted.
with ages as (
  select extract(epoch from now() - p.observed_at)::double precision as age
  from ${registry} l
  left join location_polls p
    on p.entity_id = l.${key}
    and p.pipeline = $1
    and p.source = $2
  where l.active_from <= now()
    and (l.active_to is null or l.active_to > now())
)
select
  count(*)::integer as locations,
  (count(*) filter (where age is null))::integer as without_observation,
  percentile_cont(0.5) within group (order by age) as median_age,
  percentile_cont(0.99) within group (order by age) as late_age,
  max(age) as oldest_age
from ages
