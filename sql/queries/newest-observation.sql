select
  coalesce(l.name, o.city_id::text) as city,
  o.observed_at,
  o.stored_at
from observations o
left join locations l on l.city_id = o.city_id
where o.observed_at between now() - interval '7 days' and now()
order by o.observed_at desc
limit 1
