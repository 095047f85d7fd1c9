-- What the registry says of these locations, of all of them when $1 is null.
select
  city_id as entity_id,
  name,
  country,
  lat,
  lon
from locations
where $1::bigint[] is null
  or city_id = any($1)
