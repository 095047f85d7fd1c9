-- One flat row for each record that fits the contract (pipelines/air-pollution/contract.ts); what does not becomes a dead letter.
-- Whatever a sink or a cast could fail on is bounded here.
CREATE VIEW flattened_records AS
SELECT
  CAST(id AS BIGINT) AS city_id,
  CAST(TO_TIMESTAMP_LTZ(CAST(dt AS BIGINT), 0) AS TIMESTAMP(3)) AS observed_at,
  coord.lon AS lon,
  coord.lat AS lat,
  main.aqi AS aqi,
  components.co AS co,
  components.`no` AS `no`,
  components.no2 AS no2,
  components.o3 AS o3,
  components.so2 AS so2,
  components.pm2_5 AS pm2_5,
  components.pm10 AS pm10,
  components.nh3 AS nh3,
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
    main.aqi,
    components.co,
    components.`no`,
    components.no2,
    components.o3,
    components.so2,
    components.pm2_5,
    components.pm10,
    components.nh3
  ) IS NOT NULL
