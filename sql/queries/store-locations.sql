-- Registers whole locations, or replaces what is registered under their ids.
insert into locations (
  city_id,
  name,
  country,
  lat,
  lon,
  timezone,
  cadence_minutes,
  min_observations_per_hour,
  active_from,
  active_to
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
  active_from,
  active_to
from jsonb_to_recordset($1::jsonb) as given (
  city_id bigint,
  name text,
  country text,
  lat double precision,
  lon double precision,
  timezone text,
  cadence_minutes integer,
  min_observations_per_hour integer,
  active_from timestamptz,
  active_to timestamptz
)
on conflict (city_id) do update
set
  name = excluded.name,
  country = excluded.country,
  lat = excluded.lat,
  lon = excluded.lon,
  timezone = excluded.timezone,
  cadence_minutes = excluded.cadence_minutes,
  min_observations_per_hour = excluded.min_observations_per_hour,
  active_from = excluded.active_from,
  active_to = excluded.active_to
