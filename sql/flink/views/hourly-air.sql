-- The hour as it stands now: a plain GROUP BY, so every accepted observation updates its hour at once. Its key is the key
-- of the sink and of the table. An hour's state is kept for 48 hours after its last change; the deduplication that feeds it
-- remembers for longer, or a duplicate that it had forgotten would be counted again.
CREATE VIEW hourly_air AS
SELECT /*+ STATE_TTL('o' = '48h') */
  city_id,
  FLOOR(observed_at TO HOUR) AS window_start,
  FLOOR(observed_at TO HOUR) + INTERVAL '1' HOUR AS window_end,
  COUNT(*) AS observation_count,
  AVG(aqi) AS aqi_avg,
  MIN(aqi) AS aqi_min,
  MAX(aqi) AS aqi_max,
  AVG(co) AS co_avg,
  MIN(co) AS co_min,
  MAX(co) AS co_max,
  AVG(`no`) AS no_avg,
  MIN(`no`) AS no_min,
  MAX(`no`) AS no_max,
  AVG(no2) AS no2_avg,
  MIN(no2) AS no2_min,
  MAX(no2) AS no2_max,
  AVG(o3) AS o3_avg,
  MIN(o3) AS o3_min,
  MAX(o3) AS o3_max,
  AVG(so2) AS so2_avg,
  MIN(so2) AS so2_min,
  MAX(so2) AS so2_max,
  AVG(pm2_5) AS pm2_5_avg,
  MIN(pm2_5) AS pm2_5_min,
  MAX(pm2_5) AS pm2_5_max,
  AVG(pm10) AS pm10_avg,
  MIN(pm10) AS pm10_min,
  MAX(pm10) AS pm10_max,
  AVG(nh3) AS nh3_avg,
  MIN(nh3) AS nh3_min,
  MAX(nh3) AS nh3_max,
  MIN(observed_at) AS first_observed_at,
  MAX(observed_at) AS last_observed_at
FROM plausible_observations AS o
GROUP BY
  city_id,
  FLOOR(observed_at TO HOUR)
