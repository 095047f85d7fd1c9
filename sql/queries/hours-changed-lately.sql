-- How many rows of hours were written in the last five minutes, and when the last of them was.
select
  count(*)::integer as hours,
  max(updated_at) as latest
from ${windows}
where updated_at > now() - interval '5 minutes'
