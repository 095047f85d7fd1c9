-- The next letters of a selection after a place: at most so many, and together so many bytes, but one at the least.
with next as (
  select
    *,
    coalesce(octet_length(raw_bytes), 0) as bytes
  from dead_letters
  where topic = any($1::text[])
    and ($2::integer is null or partition_id = $2)
    and ($3::bigint is null or record_offset = $3)
    and ($4::timestamptz is null or first_seen >= $4)
    and first_seen < $5
    and coalesce(outcome, 'none') = any($6::text[])
    and ($7::text is null or (topic, partition_id, record_offset) > ($7, $8::integer, $9::bigint))
  order by topic, partition_id, record_offset
  limit $10
),
measured as (
  select
    *,
    sum(bytes) over (order by topic, partition_id, record_offset) - bytes as bytes_before
  from next
)
select
  topic,
  partition_id,
  record_offset,
  key,
  raw_bytes,
  headers,
  outcome,
  replayed_at,
  replayed_to_topic,
  replayed_to_partition,
  replayed_to_offset
from measured
where bytes_before = 0
  or bytes_before + bytes <= $11
order by topic, partition_id, record_offset
