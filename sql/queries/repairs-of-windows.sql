-- Who was to repair windows that still have one of the verdicts $2, the latest first, without backfills: of these there is a ledger. Without
-- windows that are expected no more.
select c.repair_workflow_id
from window_completeness c
join ${registry} l
  on l.${key} = c.entity_id
  and c.window_start >= l.active_from
  and c.window_start + interval '1 hour' <= coalesce(l.active_to, 'infinity')
where c.pipeline = $1
  and c.verdict = any($2::text[])
  and c.repair_workflow_id not like 'backfill/%'
group by c.repair_workflow_id
order by max(c.repair_begun_at) desc nulls last
limit $3
