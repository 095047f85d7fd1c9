-- The columns of tables ($1); a table that is not there has none.
select
  table_name,
  array_agg(column_name::text order by ordinal_position) as columns
from information_schema.columns
where table_schema = current_schema()
  and table_name = any ($1)
group by table_name
