select
  reason,
  key,
  raw_bytes,
  headers,
  published_at,
  first_seen,
  replayed_at,
  outcome
from dead_letters
where topic = $1
  and partition_id = $2
  and record_offset = $3
