-- What is registered under these ids.
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
from locations
where city_id = any($1::bigint[])
