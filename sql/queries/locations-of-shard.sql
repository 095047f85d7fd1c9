-- The active locations of a shard, with what was last had of each; without those that this run could not have already.
select
  l.${key} as entity_id,
  l.name,
  l.country,
  l.lat,
  l.lon,
  l.cadence_minutes,
  p.polled_at,
  coalesce(p.recent_observed_at, '{}') as recent_observed_at
from ${registry} l
left join location_polls p
  on p.entity_id = l.${key}
  and p.pipeline = $1
  and p.source = $2
where l.${key} % $4::int = $3::int
  and l.active_from <= $6
  and (l.active_to is null or l.active_to > $6)
  and not exists (
    select
    from ingest_exceptions e
    where e.pipeline = $1
      and e.source = $2
      and e.shard = $3::int
      and e.scheduled_at = $5
      and e.entity_id = l.${key}
  )
order by l.${key}
