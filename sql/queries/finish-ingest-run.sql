-- A run that skipped a location has failed, also when a retry of it found nothing left to do.
update ingest_runs
set
  finished_at = $5,
  status = case when coalesce($6, error) is null and skipped = 0 then 'completed' else 'failed' end,
  error = coalesce($6, error, case when skipped > 0 then skipped || ' locations were not called: its time was up.' end),
  end_offsets = coalesce($7, end_offsets)
where pipeline = $1
  and source = $2
  and shard = $3
  and scheduled_at = $4
returning due, called, published, unchanged, failed, rejected, skipped, api_calls, error
