-- The newest dead letters, and how many there are of this kind.
select
  topic,
  partition_id,
  record_offset,
  reason,
  convert_from(substring(key for 100), 'LATIN1') as key,
  length(raw_bytes) as bytes,
  published_at,
  first_seen,
  replayed_at,
  outcome,
  outcome_reason,
  count(*) over () as letters
from dead_letters
where ($1::text is null or topic = $1)
  and ($2::timestamptz is null or first_seen >= $2)
  and (not $3::boolean or outcome is null)
order by
  first_seen desc,
  topic,
  partition_id,
  record_offset desc
limit $4
