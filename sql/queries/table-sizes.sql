-- What tables ($1) take on disk, their partitions and indexes among it, in bytes.
select coalesce(sum(pg_total_relation_size(coalesce(part.relid, own.relid))), 0)::bigint as bytes
from unnest($1::text[]) as name
cross join lateral to_regclass(format('%I.%I', current_schema(), name)) as own (relid)
left join lateral pg_partition_tree(own.relid) as part on true
