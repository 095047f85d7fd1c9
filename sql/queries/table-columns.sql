-- The columns of tables ($1), and those that a new row cannot be without; a table that is not there has none.
select
  table_name,
  array_agg(column_name::text order by ordinal_position) as columns,
  coalesce(
    array_agg(column_name::text order by ordinal_position) filter (where is_nullable = 'NO' and column_default is null),
    '{}'
  ) as required
from information_schema.columns
where table_schema = current_schema()
  and table_name = any ($1)
group by table_name
