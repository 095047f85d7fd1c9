-- Adds what one batch did to the counts of its run, unless another try of the run has begun since.
update ingest_runs
set
  due = due + $5::int + $6 + $7 + $8 + $9,
  called = called + $5 + $6 + $7 + $8,
  published = published + $5,
  unchanged = unchanged + $6,
  failed = failed + $7,
  rejected = rejected + $8,
  skipped = skipped + $9,
  api_calls = api_calls + $10,
  unchanged_ids = unchanged_ids || $12::bigint[]
where pipeline = $1
  and source = $2
  and shard = $3
  and scheduled_at = $4
  and attempts = $11
returning attempts
