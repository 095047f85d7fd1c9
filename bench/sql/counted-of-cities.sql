-- How many observations the hours of the cities with ids in [$1, $2) count.
select coalesce(sum(observation_count), 0)::double precision as counted
from weather_hourly
where city_id >= $1
  and city_id < $2
