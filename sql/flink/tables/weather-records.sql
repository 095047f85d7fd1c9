-- OpenWeatherMap's JSON as it was published: the live topic, and beside it the repairs of recent hours.
CREATE TABLE weather_records (
  id BIGINT,
  name STRING,
  dt BIGINT,
  coord ROW<lon DOUBLE, lat DOUBLE>,
  weather ARRAY<ROW<id INT, main STRING, description STRING, icon STRING>>,
  main ROW<temp DOUBLE, feels_like DOUBLE, temp_min DOUBLE, temp_max DOUBLE, pressure DOUBLE, humidity DOUBLE, sea_level DOUBLE, grnd_level DOUBLE>,
  visibility DOUBLE,
  wind ROW<speed DOUBLE, deg DOUBLE, gust DOUBLE>,
  clouds ROW<`all` DOUBLE>,
  rain ROW<`1h` DOUBLE>,
  snow ROW<`1h` DOUBLE>,
  sys ROW<country STRING>,
  topic STRING METADATA VIRTUAL,
  partition_id INT METADATA FROM 'partition' VIRTUAL,
  record_offset BIGINT METADATA FROM 'offset' VIRTUAL,
  published_at TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
  arrived_at AS PROCTIME()
) WITH (
  'connector' = 'kafka',
  'topic' = ${topics},
  'properties.bootstrap.servers' = ${kafka_brokers},
  'properties.group.id' = ${consumer_group},
  'scan.startup.mode' = 'earliest-offset',
  'format' = 'json',
  'json.ignore-parse-errors' = 'true'
)
