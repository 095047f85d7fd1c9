-- For a run that broke off: what it did until then stays counted.
insert into ingest_runs as run (
  pipeline,
  source,
  shard,
  scheduled_at,
  started_at,
  finished_at,
  status,
  error,
  workflow_run_id
)
values ($1, $2, $3, $4, $5, $5, 'failed', $6, $7)
on conflict (pipeline, source, shard, scheduled_at) do update
set
  finished_at = coalesce(run.finished_at, excluded.finished_at),
  status = 'failed',
  error = coalesce(run.error, excluded.error)
