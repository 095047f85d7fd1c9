-- The repair of the windows in these blocks ($4) that have one of the verdicts $5 was begun by $2 at $3: an attempt more, and only once
-- since they were good last. Another check may have found them to be under repair by now.
with members as (
  select
    block."from",
    block."to",
    entity.id::bigint as entity_id
  from jsonb_to_recordset($4::jsonb) as block ("from" timestamptz, "to" timestamptz, entities jsonb)
  cross join lateral jsonb_array_elements_text(block.entities) as entity (id)
),
recorded as (
  update window_completeness c
  set
    repair_workflow_id = $2,
    repair_begun_at = $3,
    attempts = c.attempts + 1
  from members m
  where c.pipeline = $1
    and c.entity_id = m.entity_id
    and c.window_start >= m."from"
    and c.window_start < m."to"
    and (c.verdict = any($5::text[]) or c.verdict = 'repairing')
    and (c.repair_workflow_id is distinct from $2 or c.attempts = 0)
  returning c.entity_id
)
select count(*)::integer as windows
from recorded
