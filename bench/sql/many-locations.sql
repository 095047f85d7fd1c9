insert into locations (city_id, name, country, lat, lon, timezone, active_from)
select
  id,
  'place ' || id,
  'NO',
  0,
  0,
  'UTC',
  '2020-01-01'
from generate_series(1, $1::bigint) as id
