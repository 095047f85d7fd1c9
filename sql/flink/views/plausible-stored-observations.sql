-- What the hourly view aggregates in a batch job: the stored observations of some hours. The filter stands here because
-- PostgreSQL gets it only from inside the hourly view; from above it, the whole table would be read. What is impossible was set
-- to NULL before it was stored.
CREATE VIEW plausible_observations AS
SELECT
  city_id,
  observed_at,
  temp,
  pressure,
  humidity,
  wind_speed,
  wind_gust,
  clouds,
  rain_1h,
  snow_1h,
  rejected_fields IS NULL OR NOT JSON_EXISTS(rejected_fields, '$.rain_1h') AS rain_is_known,
  rejected_fields IS NULL OR NOT JSON_EXISTS(rejected_fields, '$.snow_1h') AS snow_is_known
FROM stored_observations
WHERE observed_at >= TIMESTAMP ${from}
  AND observed_at < TIMESTAMP ${to}
