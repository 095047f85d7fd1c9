-- The first locations of an empty registry, expected from $2 on; one that has any is the user's own.
insert into locations (
  city_id,
  name,
  country,
  lat,
  lon,
  timezone,
  cadence_minutes,
  min_observations_per_hour,
  active_from
)
select
  city_id,
  name,
  country,
  lat,
  lon,
  timezone,
  cadence_minutes,
  min_observations_per_hour,
  $2::timestamptz
from jsonb_to_recordset($1::jsonb) as seed (
  city_id bigint,
  name text,
  country text,
  lat double precision,
  lon double precision,
  timezone text,
  cadence_minutes integer,
  min_observations_per_hour integer
)
where not exists (select from locations)
returning city_id
