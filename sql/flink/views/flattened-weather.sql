-- One flat row for each record that fits the contract (docs/producers.md); what does not becomes a dead letter. Whatever a sink
-- or a cast could fail on is bounded here. A measurement that was given and is no number is NaN, which lies in no range.
CREATE VIEW flattened_weather AS
SELECT
  CAST(id AS BIGINT) AS city_id,
  CAST(TO_TIMESTAMP_LTZ(CAST(dt AS BIGINT), 0) AS TIMESTAMP(3)) AS observed_at,
  name AS city_name,
  sys.country AS country,
  COALESCE(TRY_CAST(coord.lon AS DOUBLE), CASE WHEN coord.lon IS NOT NULL THEN CAST('NaN' AS DOUBLE) END) AS lon,
  COALESCE(TRY_CAST(coord.lat AS DOUBLE), CASE WHEN coord.lat IS NOT NULL THEN CAST('NaN' AS DOUBLE) END) AS lat,
  COALESCE(TRY_CAST(main.temp AS DOUBLE), CASE WHEN main.temp IS NOT NULL THEN CAST('NaN' AS DOUBLE) END) AS temp,
  COALESCE(TRY_CAST(main.feels_like AS DOUBLE), CASE WHEN main.feels_like IS NOT NULL THEN CAST('NaN' AS DOUBLE) END) AS feels_like,
  COALESCE(TRY_CAST(main.temp_min AS DOUBLE), CASE WHEN main.temp_min IS NOT NULL THEN CAST('NaN' AS DOUBLE) END) AS temp_min,
  COALESCE(TRY_CAST(main.temp_max AS DOUBLE), CASE WHEN main.temp_max IS NOT NULL THEN CAST('NaN' AS DOUBLE) END) AS temp_max,
  COALESCE(TRY_CAST(main.pressure AS DOUBLE), CASE WHEN main.pressure IS NOT NULL THEN CAST('NaN' AS DOUBLE) END) AS pressure,
  COALESCE(TRY_CAST(main.sea_level AS DOUBLE), CASE WHEN main.sea_level IS NOT NULL THEN CAST('NaN' AS DOUBLE) END) AS pressure_sea_level,
  COALESCE(TRY_CAST(main.grnd_level AS DOUBLE), CASE WHEN main.grnd_level IS NOT NULL THEN CAST('NaN' AS DOUBLE) END) AS pressure_ground_level,
  COALESCE(TRY_CAST(main.humidity AS DOUBLE), CASE WHEN main.humidity IS NOT NULL THEN CAST('NaN' AS DOUBLE) END) AS humidity,
  COALESCE(TRY_CAST(visibility AS DOUBLE), CASE WHEN visibility IS NOT NULL THEN CAST('NaN' AS DOUBLE) END) AS visibility,
  COALESCE(TRY_CAST(wind.speed AS DOUBLE), CASE WHEN wind.speed IS NOT NULL THEN CAST('NaN' AS DOUBLE) END) AS wind_speed,
  COALESCE(TRY_CAST(wind.deg AS DOUBLE), CASE WHEN wind.deg IS NOT NULL THEN CAST('NaN' AS DOUBLE) END) AS wind_direction,
  COALESCE(TRY_CAST(wind.gust AS DOUBLE), CASE WHEN wind.gust IS NOT NULL THEN CAST('NaN' AS DOUBLE) END) AS wind_gust,
  COALESCE(TRY_CAST(clouds.`all` AS DOUBLE), CASE WHEN clouds.`all` IS NOT NULL THEN CAST('NaN' AS DOUBLE) END) AS clouds,
  COALESCE(TRY_CAST(rain.`1h` AS DOUBLE), CASE WHEN rain.`1h` IS NOT NULL THEN CAST('NaN' AS DOUBLE) END) AS rain_1h,
  COALESCE(TRY_CAST(snow.`1h` AS DOUBLE), CASE WHEN snow.`1h` IS NOT NULL THEN CAST('NaN' AS DOUBLE) END) AS snow_1h,
  weather[1].id AS condition_id,
  weather[1].main AS `condition`,
  weather[1].description AS condition_description,
  weather[1].icon AS condition_icon,
  JSON_STRING(weather) AS conditions,
  topic,
  partition_id,
  record_offset,
  CAST(published_at AS TIMESTAMP(3)) AS published_at,
  arrived_at
FROM weather_records
WHERE id BETWEEN 1 AND 9007199254740991
  AND id = FLOOR(id)
  -- From 1900, which PostgreSQL, the JDBC driver and Flink agree on, to the time of publishing; clocks may differ by ten minutes.
  AND dt BETWEEN -2208988800 AND 4102444799
  AND dt = FLOOR(dt)
  AND TO_TIMESTAMP_LTZ(CAST(dt AS BIGINT), 0) <= published_at + INTERVAL '10' MINUTE
  -- At least one measurement.
  AND COALESCE(
    TRY_CAST(main.temp AS DOUBLE),
    TRY_CAST(main.feels_like AS DOUBLE),
    TRY_CAST(main.temp_min AS DOUBLE),
    TRY_CAST(main.temp_max AS DOUBLE),
    TRY_CAST(main.pressure AS DOUBLE),
    TRY_CAST(main.sea_level AS DOUBLE),
    TRY_CAST(main.grnd_level AS DOUBLE),
    TRY_CAST(main.humidity AS DOUBLE),
    TRY_CAST(visibility AS DOUBLE),
    TRY_CAST(wind.speed AS DOUBLE),
    TRY_CAST(wind.deg AS DOUBLE),
    TRY_CAST(wind.gust AS DOUBLE),
    TRY_CAST(clouds.`all` AS DOUBLE),
    TRY_CAST(rain.`1h` AS DOUBLE),
    TRY_CAST(snow.`1h` AS DOUBLE)
  ) IS NOT NULL
  -- Texts that fit, without the NUL character, which PostgreSQL refuses.
  AND COALESCE(CHAR_LENGTH(name) <= 200 AND POSITION(U&'\0000' IN name) = 0, TRUE)
  AND COALESCE(CHAR_LENGTH(sys.country) <= 200 AND POSITION(U&'\0000' IN sys.country) = 0, TRUE)
  AND COALESCE(CHAR_LENGTH(JSON_STRING(weather)) <= 10000 AND POSITION('\u0000' IN JSON_STRING(weather)) = 0, TRUE)
  AND COALESCE(CARDINALITY(ARRAY_REMOVE(weather, CAST(NULL AS ROW<id INT, main STRING, description STRING, icon STRING>))) = CARDINALITY(weather), TRUE)
