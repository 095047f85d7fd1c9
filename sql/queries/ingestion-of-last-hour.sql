-- The runs of ingestion that were due in the last hour, what became of their locations, and the last run that went well.
select
  (count(*) filter (where status = 'running'))::integer as running,
  (count(*) filter (where status = 'completed'))::integer as completed,
  (count(*) filter (where status = 'failed'))::integer as failed_runs,
  coalesce(sum(published), 0)::integer as published,
  coalesce(sum(unchanged), 0)::integer as unchanged,
  coalesce(sum(failed), 0)::integer as failed,
  coalesce(sum(rejected), 0)::integer as rejected,
  coalesce(sum(skipped), 0)::integer as skipped,
  coalesce(sum(api_calls), 0)::integer as calls,
  max(finished_at) filter (where status = 'completed') as completed_at
from ingest_runs
where pipeline = $1
  and source = $2
  and scheduled_at > now() - interval '1 hour'
