-- Who was to repair windows that still have one of the verdicts $2, the latest first, without backfills: of these there is a ledger.
select repair_workflow_id
from window_completeness
where pipeline = $1
  and verdict = any($2::text[])
  and repair_workflow_id not like 'backfill/%'
group by repair_workflow_id
order by max(repair_begun_at) desc nulls last
limit $3
