insert into dead_letters (topic, partition_id, record_offset, reason, key, raw_bytes, headers, published_at)
select
  $1,
  letter.partition_id,
  letter.record_offset,
  letter.reason,
  letter.key,
  letter.raw_bytes,
  letter.headers,
  letter.published_at
from unnest($2::integer[], $3::bigint[], $4::text[], $5::bytea[], $6::bytea[], $7::jsonb[], $8::timestamptz[])
  as letter (partition_id, record_offset, reason, key, raw_bytes, headers, published_at)
on conflict (topic, partition_id, record_offset) do nothing
