-- Windows of a backfill that were done since it was started, or retried, last.
select coalesce(sum(c.window_count), 0)::integer as windows
from backfills b
join backfill_chunks c
  on c.backfill_id = b.backfill_id
  and c.status = 'done'
  and c.finished_at >= b.started_at
where b.backfill_id = $1
