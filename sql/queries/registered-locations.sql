-- What the registry says of these locations, of all of them when $1 is null.
select
  ${key} as entity_id,
  name,
  country,
  lat,
  lon
from ${registry}
where $1::bigint[] is null
  or ${key} = any($1)
