-- Lets the index by arrival know the blocks that were filled since the last time, in every partition.
select coalesce(sum(brin_summarize_new_values(inhrelid::regclass)), 0) as ranges
from pg_inherits
where inhparent = '${facts}_by_arrival'::regclass
