-- Whether nothing was ever loaded, and how many locations there are.
select
  not exists (select from observations)
  and not exists (select from backfills) as is_empty,
  (select count(*)::integer from locations) as locations
