-- No repair of the windows in these blocks ($3) that have one of the verdicts $4 is tried again: their attempts ($2) are used up.
with members as (
  select
    block."from",
    block."to",
    entity.id::bigint as entity_id
  from jsonb_to_recordset($3::jsonb) as block ("from" timestamptz, "to" timestamptz, entities jsonb)
  cross join lateral jsonb_array_elements_text(block.entities) as entity (id)
)
update window_completeness c
set attempts = greatest(c.attempts, $2::integer)
from members m
where c.pipeline = $1
  and c.entity_id = m.entity_id
  and c.window_start >= m."from"
  and c.window_start < m."to"
  and c.verdict = any($4::text[])
