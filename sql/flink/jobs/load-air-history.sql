-- A load: the records of a range of offsets become rows of air_observations, and what was read of each partition is counted. Hours
-- are made anew afterwards, by another job.
EXECUTE STATEMENT SET
BEGIN

INSERT INTO loaded_observations
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
