-- Whose hours the database holds: the first source to ask, for ever.
with claimed as (
  insert into data_source (source)
  values ($1)
  on conflict (only_row) do nothing
  returning source
)
select source from claimed
union all
select source from data_source
limit 1
