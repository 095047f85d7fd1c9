-- One flat row for each record that fits the contract (docs/producers.md); what does not becomes a dead letter. Whatever a sink
-- or a cast could fail on is bounded here.
CREATE VIEW flattened_records AS
SELECT
  CAST(id AS BIGINT) AS city_id,
  CAST(TO_TIMESTAMP_LTZ(CAST(dt AS BIGINT), 0) AS TIMESTAMP(3)) AS observed_at,
  name AS city_name,
  sys.country AS country,
  coord.lon AS lon,
  coord.lat AS lat,
  main.temp AS temp,
  main.feels_like AS feels_like,
  main.temp_min AS temp_min,
  main.temp_max AS temp_max,
  main.pressure AS pressure,
  main.sea_level AS pressure_sea_level,
  main.grnd_level AS pressure_ground_level,
  main.humidity AS humidity,
  visibility AS visibility,
  wind.speed AS wind_speed,
  wind.deg AS wind_direction,
  wind.gust AS wind_gust,
  clouds.`all` AS clouds,
  rain.`1h` AS rain_1h,
  snow.`1h` AS snow_1h,
  weather[1].id AS condition_id,
  weather[1].main AS `condition`,
  weather[1].description AS condition_description,
  weather[1].icon AS condition_icon,
  JSON_STRING(weather) AS conditions,
  topic,
  partition_id,
  record_offset,
  CAST(published_at AS TIMESTAMP(3)) AS published_at,
  backfill,
  revision,
  arrived_at
FROM records
WHERE id BETWEEN 1 AND 9007199254740991
  AND id = FLOOR(id)
  -- From 1900, which PostgreSQL, the JDBC driver and Flink agree on, to the time of publishing; clocks may differ by ten minutes.
  AND dt BETWEEN -2208988800 AND 4102444799
  AND dt = FLOOR(dt)
  AND TO_TIMESTAMP_LTZ(CAST(dt AS BIGINT), 0) <= published_at + INTERVAL '10' MINUTE
  -- At least one measurement.
  AND COALESCE(
    main.temp,
    main.feels_like,
    main.temp_min,
    main.temp_max,
    main.pressure,
    main.sea_level,
    main.grnd_level,
    main.humidity,
    visibility,
    wind.speed,
    wind.deg,
    wind.gust,
    clouds.`all`,
    rain.`1h`,
    snow.`1h`
  ) IS NOT NULL
  -- Texts that fit, without the NUL character, which PostgreSQL refuses.
  AND (name IS NULL OR name NOT LIKE U&'%\0000%' AND CHAR_LENGTH(name) <= 200)
  AND (sys.country IS NULL OR sys.country NOT LIKE U&'%\0000%' AND CHAR_LENGTH(sys.country) <= 200)
  -- The same of the conditions, in one pass over their JSON: a NUL makes it too long.
  AND (weather IS NULL OR CHAR_LENGTH(REPLACE(JSON_STRING(weather), '\u0000', RPAD('', 10001, ' '))) <= 10000)
  AND (weather IS NULL OR CARDINALITY(ARRAY_REMOVE(weather, CAST(NULL AS ROW<id INT, main STRING, description STRING, icon STRING>))) = CARDINALITY(weather))
