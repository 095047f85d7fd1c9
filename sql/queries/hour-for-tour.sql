-- An hour that may be broken to show how it is mended: over before $1, not before $2, true, and all of its records in the log of one of
-- the topics $3; of one of some locations ($4), judged well ($5: good verdicts of the pipeline $6) or never. The best first: one with
-- enough observations, then the newest. None where the weather is not invented.
select
  l.city_id,
  l.name,
  l.country,
  h.window_start,
  l.min_observations_per_hour as expected,
  o.stored
from weather_hourly h
join locations l
  on l.city_id = h.city_id
  and h.window_start >= l.active_from
  and h.window_end <= coalesce(l.active_to, 'infinity')
cross join lateral (
  select
    count(*)::integer as stored,
    bool_and(topic = any($3::text[])) as is_in_log
  from observations
  where city_id = h.city_id
    and observed_at >= h.window_start
    and observed_at < h.window_end
) as o
left join window_completeness c
  on c.pipeline = $6
  and c.entity_id = h.city_id
  and c.window_start = h.window_start
where h.window_end <= $1
  and h.window_start >= $2
  and h.temp_avg is not null
  and o.stored = h.observation_count
  and o.is_in_log
  and coalesce(c.verdict = any($5::text[]), true)
  and ($4::bigint[] is null or h.city_id = any($4::bigint[]))
  and exists (
    select
    from data_source
    where source = 'mock'
  )
order by
  o.stored >= l.min_observations_per_hour desc,
  h.window_start desc,
  l.name,
  l.city_id
limit 1
