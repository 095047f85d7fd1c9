-- The role's password is not here: the JDBC driver reads it from its own password file.
CREATE TABLE air_observations (
  city_id BIGINT,
  observed_at TIMESTAMP(3),
  lon DOUBLE,
  lat DOUBLE,
  aqi DOUBLE,
  co DOUBLE,
  `no` DOUBLE,
  no2 DOUBLE,
  o3 DOUBLE,
  so2 DOUBLE,
  pm2_5 DOUBLE,
  pm10 DOUBLE,
  nh3 DOUBLE,
  topic STRING,
  partition_id INT,
  record_offset BIGINT,
  published_at TIMESTAMP(3),
  rejected_values STRING,
  PRIMARY KEY (city_id, observed_at) NOT ENFORCED
) WITH (
  'connector' = 'jdbc',
  'url' = ${jdbc_url},
  'table-name' = 'air_observations',
  'sink.buffer-flush.max-rows' = '5000',
  'sink.buffer-flush.interval' = '1 s',
  'sink.max-retries' = '10'
)
