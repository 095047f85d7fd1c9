-- Windows of a pipeline with one of the verdicts $2 whose repair was begun less often than $3, from $4 to $5 where these are given, in the
-- order of their hours, after the window ($8, $9); without those that are expected no more.
select
  c.entity_id,
  c.window_start,
  c.verdict,
  c.reason,
  c.expected,
  c.observed,
  c.aggregated,
  c.attempts,
  c.repair_begun_at
from window_completeness c
join ${registry} l
  on l.${key} = c.entity_id
  and c.window_start >= l.active_from
  and c.window_start + interval '1 hour' <= coalesce(l.active_to, 'infinity')
where c.pipeline = $1
  and c.verdict = any($2::text[])
  and c.attempts < $3
  and c.window_start >= coalesce($4::timestamptz, '-infinity')
  and c.window_start < coalesce($5::timestamptz, 'infinity')
  and ($6::bigint[] is null or c.entity_id = any($6::bigint[]))
  and ($8::timestamptz is null or (c.window_start, c.entity_id) > ($8::timestamptz, $9::bigint))
order by
  c.window_start,
  c.entity_id
limit $7
