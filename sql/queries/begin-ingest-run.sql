insert into ingest_runs (pipeline, source, shard, scheduled_at, started_at, workflow_run_id)
values ($1, $2, $3, $4, $5, $6)
on conflict (pipeline, source, shard, scheduled_at) do update
set
  started_at = excluded.started_at,
  finished_at = null,
  workflow_run_id = excluded.workflow_run_id
