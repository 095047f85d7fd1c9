-- Whether nothing of a pipeline ($1) was ever loaded, and how many locations there are.
select
  not exists (select from ${facts})
  and not exists (select from backfills where pipeline = $1) as is_empty,
  (select count(*)::integer from ${registry}) as locations
