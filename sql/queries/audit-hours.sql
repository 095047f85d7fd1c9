-- The hours with rows stored since $1, and all from $2 to $3, whose row in weather_hourly is not the aggregate of observations: which
-- figures differ. Each of the three may be null.
with touched as (
  select
    city_id,
    date_trunc('hour', observed_at, 'UTC') as window_start
  from observations
  where stored_at >= $1
  union
  select
    city_id,
    date_trunc('hour', observed_at, 'UTC')
  from observations
  where observed_at >= $2
    and observed_at < $3
  union
  select
    city_id,
    window_start
  from weather_hourly
  where window_start >= $2
    and window_start < $3
),
truth as (
  select
    t.city_id,
    t.window_start,
    count(o.observed_at) as observation_count,
    avg(o.temp) as temp_avg,
    min(o.temp) as temp_min,
    max(o.temp) as temp_max,
    avg(o.humidity) as humidity_avg,
    min(o.humidity) as humidity_min,
    max(o.humidity) as humidity_max,
    avg(o.pressure) as pressure_avg,
    min(o.pressure) as pressure_min,
    max(o.pressure) as pressure_max,
    avg(o.wind_speed) as wind_avg,
    min(o.wind_speed) as wind_min,
    max(o.wind_speed) as wind_max,
    avg(o.clouds) as clouds_avg,
    min(o.clouds) as clouds_min,
    max(o.clouds) as clouds_max,
    max(o.wind_gust) as gust_max,
    sum(o.rain_1h) / count(*) filter (where not coalesce(o.rejected_values ? 'rain_1h', false)) as rain_mm,
    sum(o.snow_1h) / count(*) filter (where not coalesce(o.rejected_values ? 'snow_1h', false)) as snow_mm,
    min(o.observed_at) as first_observed_at,
    max(o.observed_at) as last_observed_at
  from touched t
  left join observations o
    on o.city_id = t.city_id
    and o.observed_at >= t.window_start
    and o.observed_at < t.window_start + interval '1 hour'
  group by
    t.city_id,
    t.window_start
),
-- Sums of the same numbers in another order differ in their last digits: figures are compared in eleven.
compared as (
  select
    truth.city_id,
    truth.window_start,
    h.city_id is null as is_missing,
    figure.key,
    figure.value as true_value,
    to_jsonb(h) -> figure.key as hourly_value
  from truth
  left join weather_hourly h
    on h.city_id = truth.city_id
    and h.window_start = truth.window_start
  cross join lateral jsonb_each(to_jsonb(truth) - 'city_id' - 'window_start') as figure
)
select
  city_id,
  window_start,
  bool_or(is_missing) as is_missing,
  jsonb_object_agg(key, jsonb_build_object('observations', true_value, 'hourly', hourly_value)) as differences
from compared
where case
    when jsonb_typeof(true_value) = 'number' and jsonb_typeof(hourly_value) = 'number'
    then abs(true_value::numeric - hourly_value::numeric) > 1e-11 * greatest(1, abs(true_value::numeric))
    else true_value is distinct from hourly_value
  end
group by
  city_id,
  window_start
order by
  city_id,
  window_start
