-- How long a row took from its publishing to its storing, by the minute, in the last quarter of an hour.
select
  date_trunc('minute', stored_at) as minute,
  count(*) as rows,
  round(extract(epoch from avg(stored_at - published_at)), 2) as seconds_mean,
  round(extract(epoch from max(stored_at - published_at)), 2) as seconds_most
from observations
where stored_at > now() - interval '15 minutes'
  and observed_at > now() - interval '1 day'
group by minute
order by minute desc
