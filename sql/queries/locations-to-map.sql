-- The locations with judged windows in a range, those with the most flawed ones ($5: good verdicts) first, and how many there are.
select
  c.entity_id,
  l.name,
  l.country,
  count(*) filter (where c.verdict <> all($5::text[])) as flawed,
  count(*) over () as locations
from window_completeness c
join ${registry} l
  on l.${key} = c.entity_id
  and c.window_start >= l.active_from
  and c.window_start + interval '1 hour' <= coalesce(l.active_to, 'infinity')
where c.pipeline = $1
  and c.window_start >= $2
  and c.window_start < $3
  and ($4::bigint[] is null or c.entity_id = any($4::bigint[]))
group by
  c.entity_id,
  l.name,
  l.country
order by
  flawed desc,
  l.name,
  c.entity_id
limit $6
