-- Six observations of each location in the hour from $1 on, in the order in which they would come.
insert into observations (
  city_id,
  observed_at,
  city_name,
  country,
  lon,
  lat,
  temp,
  feels_like,
  temp_min,
  temp_max,
  pressure,
  humidity,
  visibility,
  wind_speed,
  wind_direction,
  wind_gust,
  clouds,
  rain_1h,
  condition_id,
  condition,
  condition_description,
  condition_icon,
  conditions,
  topic,
  partition_id,
  record_offset,
  published_at,
  stored_at
)
select
  l.city_id,
  due.at,
  l.name,
  l.country,
  l.lon,
  l.lat,
  drawn.value / 100,
  drawn.value / 100 - 1,
  drawn.value / 100 - 2,
  drawn.value / 100 + 2,
  1000 + drawn.value / 1000,
  50 + drawn.value / 100,
  10000,
  drawn.value / 370,
  120,
  drawn.value / 300,
  drawn.value / 40,
  case when l.city_id % 5 = 0 then drawn.value / 700 end,
  801,
  'Clouds',
  'few clouds',
  '02d',
  '[{"id": 801, "main": "Clouds", "icon": "02d", "description": "few clouds"}]',
  'weather.observations.v1',
  l.city_id % 12,
  extract(epoch from due.at)::bigint * 1000 + l.city_id % 1000,
  due.at + interval '60 s',
  due.at + interval '62 s'
from generate_series(0, 5) as slot
cross join locations l
cross join lateral (
  select $1::timestamptz + slot * interval '10 minutes' + l.city_id % 600 * interval '1 s' as at
) as due
cross join lateral (
  select ((l.city_id * 7919 + slot * 104729) % 4001)::double precision as value
) as drawn
