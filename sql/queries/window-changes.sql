-- What a location's windows were judged one after the other, the oldest change first.
select
  window_start,
  changed_at,
  previous_verdict,
  previous_reason,
  verdict,
  reason
from window_completeness_changes
where pipeline = $1
  and entity_id = $2
  and window_start >= $3
  and window_start < $4
order by
  window_start,
  changed_at
