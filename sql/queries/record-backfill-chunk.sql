update backfill_chunks
set
  status = $3,
  attempts = attempts + $4::boolean::integer,
  started_at = case when $4::boolean then now() else started_at end,
  finished_at = case when $5::boolean then now() end,
  records = coalesce($6, records),
  error = $7,
  offsets = coalesce($8, offsets),
  failures = coalesce($9, failures)
where backfill_id = $1
  and chunk_key = $2
