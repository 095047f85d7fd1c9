-- Where the windows of a candidate (its schema $1, the table $2, from $3 to $4, as they were at $5) are not those of the stream: by column,
-- how many, which hours, and the first twenty with both values. A window that only one of them has is a difference of its own.
with differing as materialized (
  select *
  from windows_beside_shadow($1, $2, $3, $4, $5)
),
cells as (
  select
    w.entity,
    w.window_start,
    'missing' as column_name,
    null::jsonb as real_value,
    null::jsonb as shadow_value
  from differing w
  where w.shadow_row is null
  union all
  select
    w.entity,
    w.window_start,
    'extra',
    null,
    null
  from differing w
  where w.real_row is null
  union all
  select
    w.entity,
    w.window_start,
    figure.key,
    w.real_row -> figure.key,
    figure.value
  from differing w
  cross join lateral jsonb_each(w.shadow_row - 'origin' - 'updated_at') as figure
  where w.real_row is not null
    and w.shadow_row is not null
    -- Sums of the same numbers in another order differ in their last digits: figures are compared in eleven, as the audit does.
    and case
      when jsonb_typeof(w.real_row -> figure.key) = 'number' and jsonb_typeof(figure.value) = 'number'
      then abs((w.real_row -> figure.key)::numeric - figure.value::numeric)
        > 1e-11 * greatest(1, abs((w.real_row -> figure.key)::numeric))
      else w.real_row -> figure.key is distinct from figure.value
    end
),
placed as (
  select
    *,
    row_number() over (partition by column_name order by window_start, entity) as place
  from cells
)
select
  column_name,
  count(*) as windows,
  jsonb_agg(distinct window_start) as hours,
  jsonb_agg(
    jsonb_build_object('entity', entity, 'window', window_start, 'real', real_value, 'candidate', shadow_value)
    order by place
  ) filter (where place <= 20) as examples
from placed
group by column_name
order by column_name
