-- The continuous job: one read of Kafka, one deduplication, two tables.
EXECUTE STATEMENT SET
BEGIN

INSERT INTO air_observations
SELECT
  city_id,
  observed_at,
  lon,
  lat,
  aqi,
  co,
  `no`,
  no2,
  o3,
  so2,
  pm2_5,
  pm10,
  nh3,
  topic,
  partition_id,
  record_offset,
  published_at,
  rejected_values
FROM plausible_observations;

INSERT INTO air_hourly
SELECT
  city_id,
  window_start,
  window_end,
  observation_count,
  aqi_avg,
  aqi_min,
  aqi_max,
  co_avg,
  co_min,
  co_max,
  no_avg,
  no_min,
  no_max,
  no2_avg,
  no2_min,
  no2_max,
  o3_avg,
  o3_min,
  o3_max,
  so2_avg,
  so2_min,
  so2_max,
  pm2_5_avg,
  pm2_5_min,
  pm2_5_max,
  pm10_avg,
  pm10_min,
  pm10_max,
  nh3_avg,
  nh3_min,
  nh3_max,
  first_observed_at,
  last_observed_at,
  'stream' AS origin
FROM hourly_air;

END
