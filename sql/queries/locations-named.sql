-- Locations of the registry, ended ones too, of which $1 holds the id, the name, or the name with the country.
select
  ${key} as city_id,
  name,
  country
from ${registry}
where ${key}::text = any($1::text[])
  or lower(name) = any($1::text[])
  or lower(name || ',' || country) = any($1::text[])
order by ${key}
