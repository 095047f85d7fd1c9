-- The hours with rows stored since $1, and all from $2 to $3, whose row is not the aggregate of the stored observations: which
-- figures differ. Each of the three may be null.
with touched as (
  select
    ${key} as entity_id,
    date_bin('1 hour', observed_at, 'epoch') as window_start
  from ${facts}
  where stored_at >= $1
  union
  select
    ${key},
    date_bin('1 hour', observed_at, 'epoch')
  from ${facts}
  where observed_at >= $2
    and observed_at < $3
  union
  select
    ${key},
    window_start
  from ${windows}
  where window_start >= $2
    and window_start < $3
),
-- Day by day, so that no more of the observations is read than the days of these hours. A long list of ids is slower than none.
days as (
  select
    date_bin('1 day', window_start, 'epoch') as day,
    case when count(distinct entity_id) <= 100 then array_agg(distinct entity_id) end as entities
  from touched
  group by day
),
truth as (
  select t.*
  from days
  cross join lateral ${windows}_truth(days.day, days.day + interval '1 day', days.entities) t
),
-- Sums of the same numbers in another order differ in their last digits: figures are compared in eleven.
compared as (
  select
    touched.entity_id,
    touched.window_start,
    h.${key} is null as is_missing,
    figure.key,
    figure.value as true_value,
    hourly.figures -> figure.key as hourly_value
  from touched
  left join truth t
    on t.${key} = touched.entity_id
    and t.window_start = touched.window_start
  left join ${windows} h
    on h.${key} = touched.entity_id
    and h.window_start = touched.window_start
  -- The offset makes it once for each hour, and not for each figure.
  cross join lateral (select to_jsonb(h) as figures offset 0) as hourly
  cross join lateral jsonb_each(
    jsonb_build_object(
      'observation_count', coalesce(t.observation_count, 0),
      '${figure}', t.${figure},
      'first_observed_at', t.first_observed_at,
      'last_observed_at', t.last_observed_at
    )
  ) as figure
)
select
  entity_id,
  window_start,
  bool_or(is_missing) as is_missing,
  jsonb_object_agg(key, jsonb_build_object('observations', true_value, 'hourly', hourly_value)) as differences
from compared
where case
    when jsonb_typeof(true_value) = 'number' and jsonb_typeof(hourly_value) = 'number'
    then abs(true_value::numeric - hourly_value::numeric) > 1e-11 * greatest(1, abs(true_value::numeric))
    else true_value is distinct from hourly_value
  end
group by
  entity_id,
  window_start
order by
  entity_id,
  window_start
