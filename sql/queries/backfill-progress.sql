-- What all backfills of a pipeline have published and loaded so far, and the chunks and windows of those that are not over, by state.
select
  c.status,
  coalesce(sum(c.records), 0)::bigint as records,
  (count(*) filter (where b.ended_at is null))::integer as open_chunks,
  (coalesce(sum(c.window_count) filter (where b.ended_at is null), 0))::integer as open_windows,
  sum(c.window_count)::bigint as windows
from backfill_chunks c
join backfills b
  on b.backfill_id = c.backfill_id
where b.pipeline = $1
group by c.status
