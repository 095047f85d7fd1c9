select
  reason,
  key,
  raw_bytes,
  headers,
  published_at,
  first_seen,
  replayed_at,
  outcome,
  outcome_reason,
  replayed_to_topic,
  replayed_to_partition,
  replayed_to_offset
from dead_letters
where topic = $1
  and partition_id = $2
  and record_offset = $3
