-- The same offsets once more as bytes: what counts them must not pass over a record that is no JSON.
CREATE TABLE records_read (
  body BYTES,
  partition_id INT METADATA FROM 'partition' VIRTUAL,
  record_offset BIGINT METADATA FROM 'offset' VIRTUAL
) WITH (
  'connector' = 'kafka',
  'topic' = ${topic},
  'properties.bootstrap.servers' = ${kafka_brokers},
  'properties.group.id' = ${load},
  'properties.isolation.level' = 'read_committed',
  'scan.startup.mode' = 'specific-offsets',
  'scan.startup.specific-offsets' = ${offsets_first},
  'scan.bounded.mode' = 'specific-offsets',
  'scan.bounded.specific-offsets' = ${offsets_end},
  'format' = 'raw'
)
