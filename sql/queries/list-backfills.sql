-- Backfills of a pipeline with the states of their chunks, the newest first; $2 narrows it to one.
select
  b.backfill_id,
  b.pipeline,
  b.repeat,
  b.request,
  b.status,
  b.windows,
  b.skipped,
  b.chunks,
  b.calls,
  b.seconds,
  b.workflow_id,
  b.file,
  b.created_at,
  b.started_at,
  b.ended_at,
  b.error,
  coalesce(
    (
      select jsonb_object_agg(counted.status, counted.chunks)
      from (
        select
          c.status,
          count(*) as chunks
        from backfill_chunks c
        where c.backfill_id = b.backfill_id
        group by c.status
      ) as counted
    ),
    '{}'
  ) as chunks_by_status
from backfills b
where ($1::text is null or b.pipeline = $1)
  and ($2::text is null or b.backfill_id = $2)
order by
  b.created_at desc,
  b.backfill_id
limit $3
