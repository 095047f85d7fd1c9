-- What the hourly view aggregates in a batch job: the stored observations of some hours. The filter stands here because
-- PostgreSQL gets it only from inside the hourly view; from above it, the whole table would be read. What is impossible was set
-- to NULL before it was stored.
CREATE VIEW plausible_observations AS
SELECT
  city_id,
  observed_at,
  aqi,
  co,
  `no`,
  no2,
  o3,
  so2,
  pm2_5,
  pm10,
  nh3
FROM stored_observations
WHERE observed_at >= TIMESTAMP ${from}
  AND observed_at < TIMESTAMP ${to}
