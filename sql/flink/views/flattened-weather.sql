-- One flat row for each record. Whatever a sink or a cast could fail on is bounded here: times the tables can hold, and
-- texts without the NUL character, which PostgreSQL refuses.
CREATE VIEW flattened_weather AS
SELECT
  id AS city_id,
  CAST(TO_TIMESTAMP_LTZ(dt, 0) AS TIMESTAMP(3)) AS observed_at,
  REPLACE(name, U&'\0000', '') AS city_name,
  REPLACE(sys.country, U&'\0000', '') AS country,
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
  visibility,
  wind.speed AS wind_speed,
  wind.deg AS wind_direction,
  wind.gust AS wind_gust,
  clouds.`all` AS clouds,
  rain.`1h` AS rain_1h,
  snow.`1h` AS snow_1h,
  weather[1].id AS condition_id,
  REPLACE(weather[1].main, U&'\0000', '') AS `condition`,
  REPLACE(weather[1].description, U&'\0000', '') AS condition_description,
  REPLACE(weather[1].icon, U&'\0000', '') AS condition_icon,
  -- JSON escapes a NUL as \u0000, but behind an escaped backslash the same characters are a text's own: pairs of backslashes
  -- are put aside first, as a character that JSON never holds unescaped.
  REPLACE(REPLACE(REPLACE(JSON_STRING(weather), '\\', U&'\0001'), '\u0000', ''), U&'\0001', '\\') AS conditions,
  topic,
  partition_id,
  record_offset,
  CAST(published_at AS TIMESTAMP(3)) AS published_at,
  arrived_at
FROM weather_records
WHERE id IS NOT NULL
  -- From 1900 to 2100: PostgreSQL, the JDBC driver and Flink agree on what lies between.
  AND dt BETWEEN -2208988800 AND 4102444799
