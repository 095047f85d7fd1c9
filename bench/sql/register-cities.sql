-- The cities of these documents, watched up to a time that lies in the past. Some were moved beyond the ends of the map.
insert into locations as l (
  city_id,
  name,
  country,
  lat,
  lon,
  timezone,
  active_from,
  active_to
)
select
  id,
  name,
  sys ->> 'country',
  least(90, greatest(-90, (coord ->> 'lat')::double precision)),
  least(180, greatest(-180, (coord ->> 'lon')::double precision)),
  'UTC',
  '2000-01-01T00:00:00Z',
  $2
from jsonb_to_recordset($1::jsonb) as r (
  id bigint,
  name text,
  sys jsonb,
  coord jsonb
)
on conflict (city_id) do update
set active_to = greatest(l.active_to, excluded.active_to)
