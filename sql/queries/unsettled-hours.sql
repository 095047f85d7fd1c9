-- The hours that begin before $2 and hold a window with one of the verdicts $3, or one of the verdicts $4 after a repair was begun:
-- nothing need be stored for these to become another verdict.
select distinct window_start
from window_completeness
where pipeline = $1
  and window_start < $2
  and (verdict = any($3::text[]) or verdict = any($4::text[]) and attempts > 0)
order by window_start
