update backfills
set
  status = $2,
  started_at = case when $3::boolean then now() else started_at end,
  ended_at = case when $4::boolean then now() end,
  error = $5
where backfill_id = $1
