-- What the source said of each location; a null observation means that asking again within the same cadence is of no use.
insert into location_polls as known (pipeline, source, entity_id, polled_at, observed_at, recent_observed_at)
select
  $1,
  $2,
  poll.entity_id,
  poll.polled_at,
  poll.observed_at,
  array_remove(array[poll.observed_at], null)
from unnest($3::bigint[], $4::timestamptz[], $5::timestamptz[]) as poll (entity_id, polled_at, observed_at)
on conflict (pipeline, source, entity_id) do update
set
  polled_at = excluded.polled_at,
  observed_at = greatest(known.observed_at, excluded.observed_at),
  recent_observed_at = case
    when excluded.observed_at is null or excluded.observed_at = any(known.recent_observed_at)
      then known.recent_observed_at
    else (array[excluded.observed_at] || known.recent_observed_at)[:24]
  end
