-- The hours that begin before $2 and hold a window with one of the verdicts $3, or one of the verdicts $4 after a repair was begun:
-- nothing need be stored for these to become another verdict. Without those that are expected no more, which are never judged again.
select distinct c.window_start
from window_completeness c
join ${registry} l
  on l.${key} = c.entity_id
  and c.window_start >= l.active_from
  and c.window_start + interval '1 hour' <= coalesce(l.active_to, 'infinity')
where c.pipeline = $1
  and c.window_start < $2
  and (c.verdict = any($3::text[]) or c.verdict = any($4::text[]) and c.attempts > 0)
order by c.window_start
