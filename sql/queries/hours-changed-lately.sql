-- How many rows of hours were written in the last five minutes, of each pipeline, and when the last of them was.
select
  'weather' as pipeline,
  count(*)::integer as hours,
  max(updated_at) as latest
from weather_hourly
where updated_at > now() - interval '5 minutes'
