-- Which of these keys have a row, by their place in the question.
select k.place::integer - 1 as place
from unnest($1::bigint[], $2::timestamptz[]) with ordinality as k (entity_id, observed_at, place)
where exists (
  select
  from ${facts} o
  where o.${key} = k.entity_id
    and o.observed_at = k.observed_at
)
