CREATE TABLE batch_reads (
  load_id STRING,
  partition_id INT,
  records BIGINT,
  first_offset BIGINT,
  last_offset BIGINT,
  PRIMARY KEY (load_id, partition_id) NOT ENFORCED
) WITH (
  'connector' = 'jdbc',
  'url' = ${jdbc_url},
  'table-name' = 'batch_reads',
  'sink.max-retries' = '10'
)
