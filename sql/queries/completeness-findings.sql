-- What was found since $3: how many windows came to each of the verdicts $2, and when they are from. A window that only waited in between
-- ($4: verdicts of waiting) and then is what it was before has come to nothing new.
select
  found.verdict,
  count(distinct (found.entity_id, found.window_start))::integer as windows,
  min(found.window_start) as first_hour,
  max(found.window_start) as last_hour
from window_completeness_changes found
-- The change by which it last left a verdict that is not one of waiting.
left join lateral (
  select earlier.previous_verdict as verdict
  from window_completeness_changes earlier
  where earlier.pipeline = found.pipeline
    and earlier.entity_id = found.entity_id
    and earlier.window_start = found.window_start
    and earlier.changed_at <= found.changed_at
    and coalesce(earlier.previous_verdict <> all($4::text[]), true)
  order by earlier.changed_at desc
  limit 1
) as before on true
where found.pipeline = $1
  and found.verdict = any($2::text[])
  and found.changed_at > $3
  and before.verdict is distinct from found.verdict
group by found.verdict
order by found.verdict
