-- The offsets of a partition's range that have neither a row in the table nor a dead letter, as ranges without their end.
with accounted as (
  select record_offset
  from ${facts}
  where topic = $1
    and partition_id = $2
    and record_offset >= $3
    and record_offset < $4
  union
  select record_offset
  from dead_letters
  where topic = $1
    and partition_id = $2
    and record_offset >= $3
    and record_offset < $4
  union
  select $3::bigint - 1
),
neighbours as (
  select
    record_offset + 1 as first,
    lead(record_offset, 1, $4::bigint) over (order by record_offset) as "end"
  from accounted
)
select first, "end"
from neighbours
where "end" > first
order by first
