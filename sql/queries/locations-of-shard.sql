-- The active locations of a shard, with what was last had of each.
select
  l.city_id as entity_id,
  l.name,
  l.cadence_minutes,
  p.polled_at,
  p.observed_at
from locations l
left join location_polls p
  on p.city_id = l.city_id
  and p.pipeline = $1
  and p.source = $2
where l.city_id % $4::int = $3::int
  and l.active_from <= $5
  and (l.active_to is null or l.active_to > $5)
order by l.city_id
