-- The hour as it stands now: a plain GROUP BY, so every accepted observation updates its hour at once. Its key is the key
-- of the sink and of the table. An hour's state is kept for 48 hours after its last change; the deduplication that feeds it
-- remembers for longer, or a duplicate that it had forgotten would be counted again.
CREATE VIEW hourly_weather AS
SELECT /*+ STATE_TTL('o' = '48h') */
  city_id,
  FLOOR(observed_at TO HOUR) AS window_start,
  FLOOR(observed_at TO HOUR) + INTERVAL '1' HOUR AS window_end,
  COUNT(*) AS observation_count,
  AVG(temp) AS temp_avg,
  MIN(temp) AS temp_min,
  MAX(temp) AS temp_max,
  AVG(humidity) AS humidity_avg,
  MIN(humidity) AS humidity_min,
  MAX(humidity) AS humidity_max,
  AVG(pressure) AS pressure_avg,
  MIN(pressure) AS pressure_min,
  MAX(pressure) AS pressure_max,
  AVG(wind_speed) AS wind_avg,
  MIN(wind_speed) AS wind_min,
  MAX(wind_speed) AS wind_max,
  AVG(clouds) AS clouds_avg,
  MIN(clouds) AS clouds_min,
  MAX(clouds) AS clouds_max,
  MAX(wind_gust) AS gust_max,
  -- The source gives rates (mm in the last hour) and leaves them out when there is none: their mean over the hour, none counting
  -- as zero, is its amount. A rate that was rejected is not known, which is not zero.
  SUM(rain_1h) / COUNT(*) FILTER (WHERE rain_is_known) AS rain_mm,
  SUM(snow_1h) / COUNT(*) FILTER (WHERE snow_is_known) AS snow_mm,
  MIN(observed_at) AS first_observed_at,
  MAX(observed_at) AS last_observed_at
FROM plausible_observations AS o
GROUP BY
  city_id,
  FLOOR(observed_at TO HOUR)
