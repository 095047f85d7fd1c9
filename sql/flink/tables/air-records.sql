-- A row of OpenWeatherMap's air pollution with the id of its city, as it was published: the live topic, and beside it the repairs of
-- recent hours. Every number is a DOUBLE, as any JSON reader has it: read as BIGINT, an id of 1.5 would become the city 1.
CREATE TABLE records (
  id DOUBLE,
  dt DOUBLE,
  coord ROW<lon DOUBLE, lat DOUBLE>,
  main ROW<aqi DOUBLE>,
  components ROW<co DOUBLE, `no` DOUBLE, no2 DOUBLE, o3 DOUBLE, so2 DOUBLE, pm2_5 DOUBLE, pm10 DOUBLE, nh3 DOUBLE>,
  topic STRING METADATA VIRTUAL,
  partition_id INT METADATA FROM 'partition' VIRTUAL,
  record_offset BIGINT METADATA FROM 'offset' VIRTUAL,
  published_at TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
  arrived_at AS PROCTIME(),
  -- Of records that a backfill has published; only a load reads them from the headers.
  backfill AS CAST(NULL AS STRING),
  revision AS 0
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
  -- The faster parser loses its place at a field of another shape.
  'json.decode.json-parser.enabled' = 'false'
)
