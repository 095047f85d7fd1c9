-- How many runs in a row before a moment have failed, and since when. A run that ended without a word has failed; one that is
-- completed and had no answer, as it called nobody or one location alone, says nothing of its source and is passed over.
select
  count(*) as failures,
  min(scheduled_at) as since
from ingest_runs
where pipeline = $1
  and source = $2
  and shard = $3
  and scheduled_at < $4
  and status <> 'completed'
  and scheduled_at > coalesce(
    (
      select max(well.scheduled_at)
      from ingest_runs well
      where well.pipeline = $1
        and well.source = $2
        and well.shard = $3
        and well.scheduled_at < $4
        and well.status = 'completed'
        and well.published + well.unchanged > 0
    ),
    '-infinity'
  )
