-- The continuous job: one read of Kafka, one deduplication, two tables.
EXECUTE STATEMENT SET
BEGIN

INSERT INTO observations
SELECT
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
  `condition`,
  condition_description,
  condition_icon,
  conditions,
  topic,
  partition_id,
  record_offset,
  published_at,
  rejected_values
FROM plausible_observations;

INSERT INTO weather_hourly
SELECT
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
  'stream' AS origin
FROM hourly_weather;

END
