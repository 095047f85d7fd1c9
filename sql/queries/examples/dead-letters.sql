-- Records that could not become rows, by topic and reason.
select
  topic,
  reason,
  count(*) as records,
  count(*) filter (where outcome = 'stored') as stored_by_a_replay,
  max(published_at) as newest
from dead_letters
group by topic, reason
order by records desc, topic, reason
