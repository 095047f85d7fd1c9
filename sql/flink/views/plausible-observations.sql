-- What is physically impossible never enters a table or an average: the field is NULL, and the value with its range is kept in
-- rejected_values. The ranges lie just outside the records of the WMO (docs/producers.md). NaN, as which Flink reads the text
-- "NaN", lies in none of them; a negated comparison would let it pass, so there is none.
CREATE VIEW plausible_observations AS
SELECT
  city_id,
  observed_at,
  city_name,
  country,
  CASE WHEN lon BETWEEN -180 AND 180 THEN lon END AS lon,
  CASE WHEN lat BETWEEN -90 AND 90 THEN lat END AS lat,
  CASE WHEN temp BETWEEN -90 AND 60 THEN temp END AS temp,
  CASE WHEN feels_like BETWEEN -130 AND 100 THEN feels_like END AS feels_like,
  CASE WHEN temp_min BETWEEN -90 AND 60 THEN temp_min END AS temp_min,
  CASE WHEN temp_max BETWEEN -90 AND 60 THEN temp_max END AS temp_max,
  CASE WHEN pressure BETWEEN 850 AND 1100 THEN pressure END AS pressure,
  CASE WHEN pressure_sea_level BETWEEN 850 AND 1100 THEN pressure_sea_level END AS pressure_sea_level,
  CASE WHEN pressure_ground_level BETWEEN 300 AND 1100 THEN pressure_ground_level END AS pressure_ground_level,
  CASE WHEN humidity BETWEEN 0 AND 100 THEN humidity END AS humidity,
  CASE WHEN visibility BETWEEN 0 AND 100000 THEN visibility END AS visibility,
  CASE WHEN wind_speed BETWEEN 0 AND 120 THEN wind_speed END AS wind_speed,
  CASE WHEN wind_direction BETWEEN 0 AND 360 THEN wind_direction END AS wind_direction,
  CASE WHEN wind_gust BETWEEN 0 AND 120 THEN wind_gust END AS wind_gust,
  CASE WHEN clouds BETWEEN 0 AND 100 THEN clouds END AS clouds,
  CASE WHEN rain_1h BETWEEN 0 AND 450 THEN rain_1h END AS rain_1h,
  CASE WHEN snow_1h BETWEEN 0 AND 450 THEN snow_1h END AS snow_1h,
  condition_id,
  `condition`,
  condition_description,
  condition_icon,
  conditions,
  topic,
  partition_id,
  record_offset,
  published_at,
  revision,
  CASE
    WHEN (lon IS NULL OR lon BETWEEN -180 AND 180)
      AND (lat IS NULL OR lat BETWEEN -90 AND 90)
      AND (temp IS NULL OR temp BETWEEN -90 AND 60)
      AND (feels_like IS NULL OR feels_like BETWEEN -130 AND 100)
      AND (temp_min IS NULL OR temp_min BETWEEN -90 AND 60)
      AND (temp_max IS NULL OR temp_max BETWEEN -90 AND 60)
      AND (pressure IS NULL OR pressure BETWEEN 850 AND 1100)
      AND (pressure_sea_level IS NULL OR pressure_sea_level BETWEEN 850 AND 1100)
      AND (pressure_ground_level IS NULL OR pressure_ground_level BETWEEN 300 AND 1100)
      AND (humidity IS NULL OR humidity BETWEEN 0 AND 100)
      AND (visibility IS NULL OR visibility BETWEEN 0 AND 100000)
      AND (wind_speed IS NULL OR wind_speed BETWEEN 0 AND 120)
      AND (wind_direction IS NULL OR wind_direction BETWEEN 0 AND 360)
      AND (wind_gust IS NULL OR wind_gust BETWEEN 0 AND 120)
      AND (clouds IS NULL OR clouds BETWEEN 0 AND 100)
      AND (rain_1h IS NULL OR rain_1h BETWEEN 0 AND 450)
      AND (snow_1h IS NULL OR snow_1h BETWEEN 0 AND 450)
    THEN CAST(NULL AS STRING)
    ELSE '{' || CONCAT_WS(
      ', ',
      CASE WHEN lon IS NULL OR lon BETWEEN -180 AND 180 THEN CAST(NULL AS STRING) ELSE '"lon": {"value": ' || JSON_STRING(lon) || ', "range": [-180, 180]}' END,
      CASE WHEN lat IS NULL OR lat BETWEEN -90 AND 90 THEN CAST(NULL AS STRING) ELSE '"lat": {"value": ' || JSON_STRING(lat) || ', "range": [-90, 90]}' END,
      CASE WHEN temp IS NULL OR temp BETWEEN -90 AND 60 THEN CAST(NULL AS STRING) ELSE '"temp": {"value": ' || JSON_STRING(temp) || ', "range": [-90, 60]}' END,
      CASE WHEN feels_like IS NULL OR feels_like BETWEEN -130 AND 100 THEN CAST(NULL AS STRING) ELSE '"feels_like": {"value": ' || JSON_STRING(feels_like) || ', "range": [-130, 100]}' END,
      CASE WHEN temp_min IS NULL OR temp_min BETWEEN -90 AND 60 THEN CAST(NULL AS STRING) ELSE '"temp_min": {"value": ' || JSON_STRING(temp_min) || ', "range": [-90, 60]}' END,
      CASE WHEN temp_max IS NULL OR temp_max BETWEEN -90 AND 60 THEN CAST(NULL AS STRING) ELSE '"temp_max": {"value": ' || JSON_STRING(temp_max) || ', "range": [-90, 60]}' END,
      CASE WHEN pressure IS NULL OR pressure BETWEEN 850 AND 1100 THEN CAST(NULL AS STRING) ELSE '"pressure": {"value": ' || JSON_STRING(pressure) || ', "range": [850, 1100]}' END,
      CASE WHEN pressure_sea_level IS NULL OR pressure_sea_level BETWEEN 850 AND 1100 THEN CAST(NULL AS STRING) ELSE '"pressure_sea_level": {"value": ' || JSON_STRING(pressure_sea_level) || ', "range": [850, 1100]}' END,
      CASE WHEN pressure_ground_level IS NULL OR pressure_ground_level BETWEEN 300 AND 1100 THEN CAST(NULL AS STRING) ELSE '"pressure_ground_level": {"value": ' || JSON_STRING(pressure_ground_level) || ', "range": [300, 1100]}' END,
      CASE WHEN humidity IS NULL OR humidity BETWEEN 0 AND 100 THEN CAST(NULL AS STRING) ELSE '"humidity": {"value": ' || JSON_STRING(humidity) || ', "range": [0, 100]}' END,
      CASE WHEN visibility IS NULL OR visibility BETWEEN 0 AND 100000 THEN CAST(NULL AS STRING) ELSE '"visibility": {"value": ' || JSON_STRING(visibility) || ', "range": [0, 100000]}' END,
      CASE WHEN wind_speed IS NULL OR wind_speed BETWEEN 0 AND 120 THEN CAST(NULL AS STRING) ELSE '"wind_speed": {"value": ' || JSON_STRING(wind_speed) || ', "range": [0, 120]}' END,
      CASE WHEN wind_direction IS NULL OR wind_direction BETWEEN 0 AND 360 THEN CAST(NULL AS STRING) ELSE '"wind_direction": {"value": ' || JSON_STRING(wind_direction) || ', "range": [0, 360]}' END,
      CASE WHEN wind_gust IS NULL OR wind_gust BETWEEN 0 AND 120 THEN CAST(NULL AS STRING) ELSE '"wind_gust": {"value": ' || JSON_STRING(wind_gust) || ', "range": [0, 120]}' END,
      CASE WHEN clouds IS NULL OR clouds BETWEEN 0 AND 100 THEN CAST(NULL AS STRING) ELSE '"clouds": {"value": ' || JSON_STRING(clouds) || ', "range": [0, 100]}' END,
      CASE WHEN rain_1h IS NULL OR rain_1h BETWEEN 0 AND 450 THEN CAST(NULL AS STRING) ELSE '"rain_1h": {"value": ' || JSON_STRING(rain_1h) || ', "range": [0, 450]}' END,
      CASE WHEN snow_1h IS NULL OR snow_1h BETWEEN 0 AND 450 THEN CAST(NULL AS STRING) ELSE '"snow_1h": {"value": ' || JSON_STRING(snow_1h) || ', "range": [0, 450]}' END
    ) || '}'
  END AS rejected_values,
  -- A rate that is absent is zero; one that was rejected is not known.
  rain_1h IS NULL OR rain_1h BETWEEN 0 AND 450 AS rain_is_known,
  snow_1h IS NULL OR snow_1h BETWEEN 0 AND 450 AS snow_is_known
FROM accepted_observations
