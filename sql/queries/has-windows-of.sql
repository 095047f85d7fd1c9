-- Whether a window has one of the verdicts $2 now; without those that are expected no more.
select exists (
  select
  from window_completeness c
  join ${registry} l
    on l.${key} = c.entity_id
    and c.window_start >= l.active_from
    and c.window_start + interval '1 hour' <= coalesce(l.active_to, 'infinity')
  where c.pipeline = $1
    and c.verdict = any($2::text[])
) as has_any
