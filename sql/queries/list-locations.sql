-- The registry with what ingestion last had of each location; whether it is active is judged at $3.
select
  l.city_id,
  l.name,
  l.country,
  l.lat,
  l.lon,
  l.timezone,
  l.cadence_minutes,
  l.min_observations_per_hour,
  l.active_from,
  l.active_to,
  case
    when l.active_to <= $3 then 'ended'
    when l.active_from > $3 then 'planned'
    else 'active'
  end as state,
  p.polled_at,
  p.observed_at
from locations l
left join location_polls p
  on p.entity_id = l.city_id
  and p.pipeline = $1
  and p.source = $2
where ($4::boolean or l.active_to is null or l.active_to > $3)
  and ($5::text is null or l.country = $5)
  and ($6::text is null or strpos(lower(l.name), lower($6)) > 0)
order by
  l.country,
  l.name,
  l.city_id
