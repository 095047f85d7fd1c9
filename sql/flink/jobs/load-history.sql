-- A load: the records of a range of offsets become rows of observations, and what was read of each partition is counted. Hours are
-- made anew afterwards, by another job.
EXECUTE STATEMENT SET
BEGIN

INSERT INTO loaded_observations
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
  rejected_values,
  CASE WHEN ${backfill} = 'any' THEN 0 ELSE revision END AS revision
FROM plausible_observations;

INSERT INTO batch_reads
SELECT
  ${load} AS load_id,
  partition_id,
  COUNT(*) AS records,
  MIN(record_offset) AS first_offset,
  MAX(record_offset) AS last_offset
FROM records_read
GROUP BY partition_id;

END
