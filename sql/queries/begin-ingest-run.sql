-- A retried run goes on where it was: its start and its first offsets stay.
insert into ingest_runs as run (
  pipeline,
  source,
  shard,
  scheduled_at,
  started_at,
  workflow_run_id,
  shards,
  first_offsets
)
values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (pipeline, source, shard, scheduled_at) do update
set
  attempts = run.attempts + 1,
  status = 'running',
  finished_at = null,
  workflow_run_id = excluded.workflow_run_id,
  shards = excluded.shards
returning
  started_at,
  attempts
