-- How many offsets of a partition's range have a row in the table, and how many of the others are dead letters.
with stored as (
  select distinct record_offset
  from ${facts}
  where topic = $1
    and partition_id = $2
    and record_offset >= $3
    and record_offset < $4
)
select
  (select count(*) from stored) as stored,
  (
    select count(*)
    from dead_letters d
    where d.topic = $1
      and d.partition_id = $2
      and d.record_offset >= $3
      and d.record_offset < $4
      and not exists (select from stored s where s.record_offset = d.record_offset)
  ) as dead_letters
