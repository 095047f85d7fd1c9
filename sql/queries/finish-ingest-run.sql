update ingest_runs
set
  finished_at = $5,
  due = $6,
  called = $7,
  published = $8,
  unchanged = $9,
  failed = $10,
  rejected = $11
where pipeline = $1
  and source = $2
  and shard = $3
  and scheduled_at = $4
