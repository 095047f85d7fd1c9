insert into backfills (
  backfill_id,
  pipeline,
  request_key,
  repeat,
  request,
  purpose,
  reason,
  windows,
  skipped,
  chunks,
  calls,
  seconds,
  workflow_id
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
