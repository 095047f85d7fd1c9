-- Windows of a pipeline from $2 to $3 with one of the verdicts $4 of which the log may tell more: nothing on record explains them, a poll of
-- theirs left no trace, or their row counts more than is stored. $7: instead of these, those of which it has told before, with the places.
select
  entity_id,
  window_start,
  coalesce(evidence -> 'published', '[]') as published
from window_completeness
where pipeline = $1
  and window_start >= $2
  and window_start < $3
  and verdict = any($4::text[])
  and ($5::bigint[] is null or entity_id = any($5::bigint[]))
  and case
    when $7::boolean
    then evidence -> 'published' is not null
    else
      evidence -> 'published' is null
      and (reason = 'unknown' or coalesce(aggregated, 0) > observed or evidence -> 'unaccountedPolls' is not null)
  end
order by
  window_start,
  entity_id
limit $6
