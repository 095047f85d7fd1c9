-- Backfills of a pipeline in one of the states $2, with the windows of each chunk that is in none of the states $3.
select
  b.backfill_id,
  b.request,
  c.windows
from backfills b
left join backfill_chunks c
  on c.backfill_id = b.backfill_id
  and c.status <> all($3::text[])
where b.pipeline = $1
  and b.status = any($2::text[])
order by
  b.backfill_id,
  c.position
