-- One batch of a partition: the rows that are new go into observations, and they alone into their hours. An hour's mean can be
-- carried on only if every observation counts in every figure; an hour in which one does not is noted and returned, to be
-- computed from its observations.
with offered as (
  select *
  from unnest(
    $3::bigint[],
    $4::timestamptz[],
    $5::text[],
    $6::text[],
    $7::double precision[],
    $8::double precision[],
    $9::double precision[],
    $10::double precision[],
    $11::double precision[],
    $12::double precision[],
    $13::double precision[],
    $14::double precision[],
    $15::double precision[],
    $16::double precision[],
    $17::double precision[],
    $18::double precision[],
    $19::double precision[],
    $20::double precision[],
    $21::double precision[],
    $22::double precision[],
    $23::double precision[],
    $24::integer[],
    $25::text[],
    $26::text[],
    $27::text[],
    $28::jsonb[],
    $29::jsonb[],
    $30::bigint[],
    $31::timestamptz[]
  ) as o (
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
    pressure_sea_level,
    pressure_ground_level,
    humidity,
    visibility,
    wind_speed,
    wind_direction,
    wind_gust,
    clouds,
    rain_1h,
    snow_1h,
    condition_id,
    condition,
    condition_description,
    condition_icon,
    conditions,
    rejected_values,
    record_offset,
    published_at
  )
),
stored as (
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
    pressure_sea_level,
    pressure_ground_level,
    humidity,
    visibility,
    wind_speed,
    wind_direction,
    wind_gust,
    clouds,
    rain_1h,
    snow_1h,
    condition_id,
    condition,
    condition_description,
    condition_icon,
    conditions,
    rejected_values,
    record_offset,
    published_at,
    topic,
    partition_id
  )
  select
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
    pressure_sea_level,
    pressure_ground_level,
    humidity,
    visibility,
    wind_speed,
    wind_direction,
    wind_gust,
    clouds,
    rain_1h,
    snow_1h,
    condition_id,
    condition,
    condition_description,
    condition_icon,
    conditions,
    rejected_values,
    record_offset,
    published_at,
    $1,
    $2::integer
  from offered
  on conflict (city_id, observed_at) do nothing
  returning
    city_id,
    observed_at,
    temp,
    humidity,
    pressure,
    wind_speed,
    clouds,
    wind_gust,
    rain_1h,
    snow_1h,
    rejected_values
),
hours as (
  select
    city_id,
    date_bin('1 hour', observed_at, '2000-01-01T00:00:00Z') as window_start,
    count(*) as observation_count,
    avg(temp) as temp_avg,
    min(temp) as temp_min,
    max(temp) as temp_max,
    avg(humidity) as humidity_avg,
    min(humidity) as humidity_min,
    max(humidity) as humidity_max,
    avg(pressure) as pressure_avg,
    min(pressure) as pressure_min,
    max(pressure) as pressure_max,
    avg(wind_speed) as wind_avg,
    min(wind_speed) as wind_min,
    max(wind_speed) as wind_max,
    avg(clouds) as clouds_avg,
    min(clouds) as clouds_min,
    max(clouds) as clouds_max,
    max(wind_gust) as gust_max,
    sum(rain_1h) / count(*) as rain_mm,
    sum(snow_1h) / count(*) as snow_mm,
    min(observed_at) as first_observed_at,
    max(observed_at) as last_observed_at,
    bool_or(num_nulls(temp, humidity, pressure, wind_speed, clouds) > 0 or rejected_values is not null) as is_incomplete
  from stored
  group by
    city_id,
    window_start
),
judged as (
  select
    hours.*,
    hours.is_incomplete or noted.city_id is not null as must_be_computed
  from hours
  left join incomplete_hours as noted using (city_id, window_start)
),
noted as (
  insert into incomplete_hours
  select city_id, window_start
  from judged
  where is_incomplete
  on conflict do nothing
),
merged as (
  insert into weather_hourly as h (
    city_id,
    window_start,
    window_end,
    observation_count,
    temp_avg,
    temp_min,
    temp_max,
    humidity_avg,
    humidity_min,
    humidity_max,
    pressure_avg,
    pressure_min,
    pressure_max,
    wind_avg,
    wind_min,
    wind_max,
    clouds_avg,
    clouds_min,
    clouds_max,
    gust_max,
    rain_mm,
    snow_mm,
    first_observed_at,
    last_observed_at,
    origin
  )
  select
    city_id,
    window_start,
    window_start + interval '1 hour',
    observation_count,
    temp_avg,
    temp_min,
    temp_max,
    humidity_avg,
    humidity_min,
    humidity_max,
    pressure_avg,
    pressure_min,
    pressure_max,
    wind_avg,
    wind_min,
    wind_max,
    clouds_avg,
    clouds_min,
    clouds_max,
    gust_max,
    rain_mm,
    snow_mm,
    first_observed_at,
    last_observed_at,
    'stream'
  from judged
  where not must_be_computed
  -- In one order, so that two transactions never wait for each other.
  order by
    city_id,
    window_start
  on conflict (city_id, window_start) do update
  set
    observation_count = h.observation_count + excluded.observation_count,
    temp_avg = (h.temp_avg * h.observation_count + excluded.temp_avg * excluded.observation_count) / (h.observation_count + excluded.observation_count),
    temp_min = least(h.temp_min, excluded.temp_min),
    temp_max = greatest(h.temp_max, excluded.temp_max),
    humidity_avg = (h.humidity_avg * h.observation_count + excluded.humidity_avg * excluded.observation_count) / (h.observation_count + excluded.observation_count),
    humidity_min = least(h.humidity_min, excluded.humidity_min),
    humidity_max = greatest(h.humidity_max, excluded.humidity_max),
    pressure_avg = (h.pressure_avg * h.observation_count + excluded.pressure_avg * excluded.observation_count) / (h.observation_count + excluded.observation_count),
    pressure_min = least(h.pressure_min, excluded.pressure_min),
    pressure_max = greatest(h.pressure_max, excluded.pressure_max),
    wind_avg = (h.wind_avg * h.observation_count + excluded.wind_avg * excluded.observation_count) / (h.observation_count + excluded.observation_count),
    wind_min = least(h.wind_min, excluded.wind_min),
    wind_max = greatest(h.wind_max, excluded.wind_max),
    clouds_avg = (h.clouds_avg * h.observation_count + excluded.clouds_avg * excluded.observation_count) / (h.observation_count + excluded.observation_count),
    clouds_min = least(h.clouds_min, excluded.clouds_min),
    clouds_max = greatest(h.clouds_max, excluded.clouds_max),
    gust_max = greatest(h.gust_max, excluded.gust_max),
    rain_mm = case
      when h.rain_mm is not null or excluded.rain_mm is not null
      then (coalesce(h.rain_mm, 0) * h.observation_count + coalesce(excluded.rain_mm, 0) * excluded.observation_count) / (h.observation_count + excluded.observation_count)
    end,
    snow_mm = case
      when h.snow_mm is not null or excluded.snow_mm is not null
      then (coalesce(h.snow_mm, 0) * h.observation_count + coalesce(excluded.snow_mm, 0) * excluded.observation_count) / (h.observation_count + excluded.observation_count)
    end,
    first_observed_at = least(h.first_observed_at, excluded.first_observed_at),
    last_observed_at = greatest(h.last_observed_at, excluded.last_observed_at)
)
select city_id, window_start
from judged
where must_be_computed
