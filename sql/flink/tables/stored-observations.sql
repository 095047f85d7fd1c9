-- PostgreSQL's observations as a batch job reads them. Without the last two options the driver would hold all rows in memory.
CREATE TABLE stored_observations (
  city_id BIGINT,
  observed_at TIMESTAMP(3),
  temp DOUBLE,
  pressure DOUBLE,
  humidity DOUBLE,
  wind_speed DOUBLE,
  wind_gust DOUBLE,
  clouds DOUBLE,
  rain_1h DOUBLE,
  snow_1h DOUBLE,
  rejected_fields STRING
) WITH (
  'connector' = 'jdbc',
  'url' = ${jdbc_url},
  -- Flink cannot read a jsonb column, only a text made of it. PostgreSQL looks through the query in the place of the table.
  'table-name' = '(SELECT *, CAST(rejected_values AS text) AS rejected_fields FROM observations) AS stored_observations',
  'scan.fetch-size' = '5000',
  'scan.auto-commit' = 'false'
)
