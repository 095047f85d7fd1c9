-- How many dead letters of a topic nobody has settled: neither replayed nor given an outcome.
select
  topic,
  count(*)::integer as letters
from dead_letters
where topic = any($1::text[])
  and outcome is null
group by topic
