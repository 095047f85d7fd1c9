-- How many windows of a range, of all locations or of some ($4), have each verdict; without those that are expected no more.
select
  c.verdict,
  count(*) as windows
from window_completeness c
join ${registry} l
  on l.${key} = c.entity_id
  and c.window_start >= l.active_from
  and c.window_start + interval '1 hour' <= coalesce(l.active_to, 'infinity')
where c.pipeline = $1
  and c.window_start >= $2
  and c.window_start < $3
  and ($4::bigint[] is null or c.entity_id = any($4::bigint[]))
group by c.verdict
