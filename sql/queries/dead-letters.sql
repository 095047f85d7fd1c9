-- The newest dead letters.
select
  topic,
  partition_id,
  record_offset,
  reason,
  convert_from(substring(key for 100), 'LATIN1') as key,
  length(raw_bytes) as bytes,
  published_at,
  first_seen
from dead_letters
order by
  first_seen desc,
  topic,
  partition_id,
  record_offset desc
limit $1
