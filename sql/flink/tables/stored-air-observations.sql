-- PostgreSQL's air_observations as a batch job reads them. Without the last two options the driver would hold all rows in memory.
CREATE TABLE stored_observations (
  city_id BIGINT,
  observed_at TIMESTAMP(3),
  aqi DOUBLE,
  co DOUBLE,
  `no` DOUBLE,
  no2 DOUBLE,
  o3 DOUBLE,
  so2 DOUBLE,
  pm2_5 DOUBLE,
  pm10 DOUBLE,
  nh3 DOUBLE
) WITH (
  'connector' = 'jdbc',
  'url' = ${jdbc_url},
  'table-name' = 'air_observations',
  'scan.fetch-size' = '5000',
  'scan.auto-commit' = 'false'
)
