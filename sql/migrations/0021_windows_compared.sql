-- What windows_beside_shadow leaves out, because either of the two has written it since, was not compared, and is not counted as if it were.
drop function windows_of_stream(text, timestamptz, timestamptz, timestamptz);

-- How many windows of the stream, of [from_window, to_window), are compared with those of a candidate, also with one that it has not.
create function windows_compared(
  shadow text,
  table_name text,
  from_window timestamptz,
  to_window timestamptz,
  written_before timestamptz
) returns bigint
language plpgsql stable as $$
declare
  entity_column text;
  found bigint;
begin
  select a.attname into strict entity_column
  from pg_index i
  join pg_attribute a
    on a.attrelid = i.indrelid
    and a.attnum = any (i.indkey)
  where i.indrelid = format('%I.%I', current_schema(), table_name)::regclass
    and i.indisprimary
    and a.attname <> 'window_start';

  execute format(
    'select count(*)
    from %2$I.%4$I r
    left join %3$I.%4$I s
      on s.%1$I = r.%1$I
      and s.window_start = r.window_start
    where r.window_start >= $1
      and r.window_start < $2
      and r.origin = ''stream''
      and r.updated_at < $3
      and (s.updated_at is null or s.updated_at < $3)',
    entity_column,
    current_schema(),
    shadow,
    table_name
  ) into found using from_window, to_window, written_before;
  return found;
end
$$;
