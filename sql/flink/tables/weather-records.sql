-- OpenWeatherMap's JSON as it was published: the live topic, and beside it the repairs of recent hours.
-- Every number is read as text: as a number, one that is none would be the same as one that is absent. The ids and times are
-- read as DOUBLE, as any JSON reader has them; read as BIGINT, 1.5 would become the city 1.
CREATE TABLE weather_records (
  id DOUBLE,
  name STRING,
  dt DOUBLE,
  coord ROW<lon STRING, lat STRING>,
  weather ARRAY<ROW<id INT, main STRING, description STRING, icon STRING>>,
  main ROW<temp STRING, feels_like STRING, temp_min STRING, temp_max STRING, pressure STRING, humidity STRING, sea_level STRING, grnd_level STRING>,
  visibility STRING,
  wind ROW<speed STRING, deg STRING, gust STRING>,
  clouds ROW<`all` STRING>,
  rain ROW<`1h` STRING>,
  snow ROW<`1h` STRING>,
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
  -- What a producer has withdrawn was never published.
  'properties.isolation.level' = 'read_committed',
  'scan.startup.mode' = 'earliest-offset',
  'format' = 'json',
  -- What cannot be read is passed over here; the accounting of records finds its offset and keeps its bytes as a dead letter.
  'json.ignore-parse-errors' = 'true',
  -- The faster parser loses its place at a field of another shape: of {"id": 17, "weather": {"id": 1}} it made the city 1.
  'json.decode.json-parser.enabled' = 'false'
)
