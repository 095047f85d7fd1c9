-- Which of these keys have a row, by their place in the question, and the place of the record it came from.
select
  k.place::integer - 1 as place,
  o.topic,
  o.partition_id,
  o.record_offset
from unnest($1::bigint[], $2::timestamptz[]) with ordinality as k (entity_id, observed_at, place)
join ${facts} o
  on o.${key} = k.entity_id
  and o.observed_at = k.observed_at
