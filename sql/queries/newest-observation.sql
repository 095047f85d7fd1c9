select
  coalesce(l.name, o.${key}::text) as city,
  o.observed_at,
  o.stored_at
from ${facts} o
left join ${registry} l on l.${key} = o.${key}
where o.observed_at between now() - interval '7 days' and now()
order by o.observed_at desc
limit 1
