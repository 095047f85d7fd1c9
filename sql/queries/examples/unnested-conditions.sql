-- The unnested sink: one row for each condition of an observation, the newest observations first.
select
  l.name as city,
  c.observed_at,
  c.position,
  c.condition_id,
  c.condition,
  c.condition_description
from observation_conditions c
join locations l using (city_id)
where c.observed_at > now() - interval '1 hour'
order by c.observed_at desc, l.name, c.position
limit 40
