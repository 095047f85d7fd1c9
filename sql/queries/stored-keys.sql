-- Which of these keys have a row, by their place in the question.
select k.place::integer - 1 as place
from unnest($1::bigint[], $2::timestamptz[]) with ordinality as k (city_id, observed_at, place)
where exists (
  select
  from observations o
  where o.city_id = k.city_id
    and o.observed_at = k.observed_at
)
