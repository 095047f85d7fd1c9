-- Windows as they were judged last, in the order of their hours, after the window ($7, $8); without those that are expected no more.
select
  c.entity_id,
  l.name,
  c.window_start,
  c.expected,
  c.observed,
  c.aggregated,
  c.verdict,
  c.reason,
  c.evidence,
  c.checked_at,
  c.repair_workflow_id,
  c.attempts
from window_completeness c
join ${registry} l
  on l.${key} = c.entity_id
  and c.window_start >= l.active_from
  and c.window_start + interval '1 hour' <= coalesce(l.active_to, 'infinity')
where c.pipeline = $1
  and c.window_start >= $2
  and c.window_start < $3
  and ($4::bigint[] is null or c.entity_id = any($4::bigint[]))
  and ($5::text[] is null or c.verdict = any($5::text[]))
  and ($7::timestamptz is null or (c.window_start, c.entity_id) > ($7::timestamptz, $8::bigint))
order by
  c.window_start,
  c.entity_id
limit $6
