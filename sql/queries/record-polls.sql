insert into location_polls (pipeline, source, city_id, polled_at, observed_at)
select
  $1,
  $2,
  poll.city_id,
  poll.polled_at,
  poll.observed_at
from unnest($3::bigint[], $4::timestamptz[], $5::timestamptz[]) as poll (city_id, polled_at, observed_at)
on conflict (pipeline, source, city_id) do update
set
  polled_at = excluded.polled_at,
  observed_at = excluded.observed_at
