-- What was found since $3: how many windows came to each of the verdicts $2, and when they are from.
select
  verdict,
  count(distinct (entity_id, window_start))::integer as windows,
  min(window_start) as first_hour,
  max(window_start) as last_hour
from window_completeness_changes
where pipeline = $1
  and verdict = any($2::text[])
  and changed_at > $3
group by verdict
order by verdict
