-- The newest observation of the location $1, of those since $2.
select
  observed_at,
  temp,
  humidity,
  wind_speed,
  condition_description
from observations
where city_id = $1
  and observed_at >= $2
order by observed_at desc
limit 1
