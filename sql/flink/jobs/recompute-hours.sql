-- Hours made anew from the stored observations. The writer stands apart from the aggregate, so that the rows it receives can be
-- counted, and is one, so that no two writers of this job wait for each other's rows.
INSERT INTO weather_hourly /*+ OPTIONS('sink.parallelism' = '1') */
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
  'batch' AS origin
FROM hourly_weather
