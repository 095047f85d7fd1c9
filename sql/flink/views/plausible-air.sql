-- What is physically impossible never enters a table or an average: the field is NULL, and the value with its range is kept in
-- rejected_values. The source is known to give -9999 for what it does not know. NaN lies in none of the ranges; a negated comparison
-- would let it pass, so there is none.
CREATE VIEW plausible_observations AS
SELECT
  city_id,
  observed_at,
  CASE WHEN lon BETWEEN -180 AND 180 THEN lon END AS lon,
  CASE WHEN lat BETWEEN -90 AND 90 THEN lat END AS lat,
  CASE WHEN aqi BETWEEN 1 AND 5 THEN aqi END AS aqi,
  CASE WHEN co BETWEEN 0 AND 1000000 THEN co END AS co,
  CASE WHEN `no` BETWEEN 0 AND 100000 THEN `no` END AS `no`,
  CASE WHEN no2 BETWEEN 0 AND 100000 THEN no2 END AS no2,
  CASE WHEN o3 BETWEEN 0 AND 100000 THEN o3 END AS o3,
  CASE WHEN so2 BETWEEN 0 AND 100000 THEN so2 END AS so2,
  CASE WHEN pm2_5 BETWEEN 0 AND 100000 THEN pm2_5 END AS pm2_5,
  CASE WHEN pm10 BETWEEN 0 AND 100000 THEN pm10 END AS pm10,
  CASE WHEN nh3 BETWEEN 0 AND 100000 THEN nh3 END AS nh3,
  topic,
  partition_id,
  record_offset,
  published_at,
  revision,
  CASE
    WHEN (lon IS NULL OR lon BETWEEN -180 AND 180)
      AND (lat IS NULL OR lat BETWEEN -90 AND 90)
      AND (aqi IS NULL OR aqi BETWEEN 1 AND 5)
      AND (co IS NULL OR co BETWEEN 0 AND 1000000)
      AND (`no` IS NULL OR `no` BETWEEN 0 AND 100000)
      AND (no2 IS NULL OR no2 BETWEEN 0 AND 100000)
      AND (o3 IS NULL OR o3 BETWEEN 0 AND 100000)
      AND (so2 IS NULL OR so2 BETWEEN 0 AND 100000)
      AND (pm2_5 IS NULL OR pm2_5 BETWEEN 0 AND 100000)
      AND (pm10 IS NULL OR pm10 BETWEEN 0 AND 100000)
      AND (nh3 IS NULL OR nh3 BETWEEN 0 AND 100000)
    THEN CAST(NULL AS STRING)
    ELSE '{' || CONCAT_WS(
      ', ',
      CASE WHEN lon IS NULL OR lon BETWEEN -180 AND 180 THEN CAST(NULL AS STRING) ELSE '"lon": {"value": ' || JSON_STRING(lon) || ', "range": [-180, 180]}' END,
      CASE WHEN lat IS NULL OR lat BETWEEN -90 AND 90 THEN CAST(NULL AS STRING) ELSE '"lat": {"value": ' || JSON_STRING(lat) || ', "range": [-90, 90]}' END,
      CASE WHEN aqi IS NULL OR aqi BETWEEN 1 AND 5 THEN CAST(NULL AS STRING) ELSE '"aqi": {"value": ' || JSON_STRING(aqi) || ', "range": [1, 5]}' END,
      CASE WHEN co IS NULL OR co BETWEEN 0 AND 1000000 THEN CAST(NULL AS STRING) ELSE '"co": {"value": ' || JSON_STRING(co) || ', "range": [0, 1000000]}' END,
      CASE WHEN `no` IS NULL OR `no` BETWEEN 0 AND 100000 THEN CAST(NULL AS STRING) ELSE '"no": {"value": ' || JSON_STRING(`no`) || ', "range": [0, 100000]}' END,
      CASE WHEN no2 IS NULL OR no2 BETWEEN 0 AND 100000 THEN CAST(NULL AS STRING) ELSE '"no2": {"value": ' || JSON_STRING(no2) || ', "range": [0, 100000]}' END,
      CASE WHEN o3 IS NULL OR o3 BETWEEN 0 AND 100000 THEN CAST(NULL AS STRING) ELSE '"o3": {"value": ' || JSON_STRING(o3) || ', "range": [0, 100000]}' END,
      CASE WHEN so2 IS NULL OR so2 BETWEEN 0 AND 100000 THEN CAST(NULL AS STRING) ELSE '"so2": {"value": ' || JSON_STRING(so2) || ', "range": [0, 100000]}' END,
      CASE WHEN pm2_5 IS NULL OR pm2_5 BETWEEN 0 AND 100000 THEN CAST(NULL AS STRING) ELSE '"pm2_5": {"value": ' || JSON_STRING(pm2_5) || ', "range": [0, 100000]}' END,
      CASE WHEN pm10 IS NULL OR pm10 BETWEEN 0 AND 100000 THEN CAST(NULL AS STRING) ELSE '"pm10": {"value": ' || JSON_STRING(pm10) || ', "range": [0, 100000]}' END,
      CASE WHEN nh3 IS NULL OR nh3 BETWEEN 0 AND 100000 THEN CAST(NULL AS STRING) ELSE '"nh3": {"value": ' || JSON_STRING(nh3) || ', "range": [0, 100000]}' END
    ) || '}'
  END AS rejected_values
FROM accepted_observations
