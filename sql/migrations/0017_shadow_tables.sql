-- Where a candidate writes: a version of a Flink job that is tried before it runs has tables of the same names in a schema of its own,
-- and never touches the real ones.

-- Begins anew: what an earlier candidate of the same name has left is not taken for this one's. The real tables' triggers come along,
-- because what a table makes of a row is part of what is tried.
create function make_shadow_tables(shadow text, tables text[], writer text) returns void
language plpgsql as $$
declare
  own text := current_schema();
  table_name text;
  trigger_definition text;
begin
  perform drop_shadow_tables(shadow);
  execute format('create schema %I', shadow);
  foreach table_name in array tables loop
    execute format('create table %I.%I (like %I.%I including all)', shadow, table_name, own, table_name);
    for trigger_definition in
      select pg_get_triggerdef(t.oid)
      from pg_trigger t
      where t.tgrelid = format('%I.%I', own, table_name)::regclass
        and not t.tgisinternal
    loop
      execute replace(
        trigger_definition,
        format(' ON %I.%I ', own, table_name),
        format(' ON %I.%I ', shadow, table_name)
      );
    end loop;
  end loop;
  execute format('grant usage on schema %I to %I', shadow, writer);
  execute format('grant select, insert, update on all tables in schema %I to %I', shadow, writer);
end
$$;

-- Only a schema that is named as candidates' are can be dropped by it.
create function drop_shadow_tables(shadow text) returns void
language plpgsql as $$
begin
  if shadow !~ '^(shadow|dry_run)_[a-z0-9_]+$' then
    raise exception 'the schema % is no candidate''s: its name begins with neither shadow_ nor dry_run_', shadow;
  end if;
  execute format('drop schema if exists %I cascade', shadow);
end
$$;

-- The windows of [from_window, to_window) that the stream has made, or that only the candidate has, and that are not the same. Both write
-- on meanwhile: a window that either of them has written since then is left out, as the other may not have read as far yet.
create function windows_beside_shadow(
  shadow text,
  table_name text,
  from_window timestamptz,
  to_window timestamptz,
  written_before timestamptz
)
returns table (entity text, window_start timestamptz, real_row jsonb, shadow_row jsonb)
language plpgsql stable as $$
declare
  own text := current_schema();
  entity_column text;
  compared text[];
begin
  select a.attname into strict entity_column
  from pg_index i
  join pg_attribute a
    on a.attrelid = i.indrelid
    and a.attnum = any (i.indkey)
  where i.indrelid = format('%I.%I', own, table_name)::regclass
    and i.indisprimary
    and a.attname <> 'window_start';

  -- How a row came about and when it was written is no figure of its window.
  select array_agg(a.attname order by a.attnum) into compared
  from pg_attribute a
  where a.attrelid = format('%I.%I', shadow, table_name)::regclass
    and a.attnum > 0
    and not a.attisdropped
    and a.attname not in (entity_column, 'window_start', 'origin', 'updated_at');

  return query execute format(
    'select
      coalesce(r.%1$I, s.%1$I)::text,
      coalesce(r.window_start, s.window_start),
      case when r.%1$I is null then null else to_jsonb(r) end,
      case when s.%1$I is null then null else to_jsonb(s) end
    from (select * from %2$I.%4$I where window_start >= $1 and window_start < $2) r
    full join (select * from %3$I.%4$I where window_start >= $1 and window_start < $2) s
      on s.%1$I = r.%1$I
      and s.window_start = r.window_start
    where r.origin is distinct from ''batch''
      and (r.updated_at is null or r.updated_at < $3)
      and (s.updated_at is null or s.updated_at < $3)
      and (%5$s) is distinct from (%6$s)',
    entity_column,
    own,
    shadow,
    table_name,
    (select string_agg(format('r.%I', name), ', ') from unnest(compared) as name),
    (select string_agg(format('s.%I', name), ', ') from unnest(compared) as name)
  ) using from_window, to_window, written_before;
end
$$;

-- How many windows of [from_window, to_window) can be compared.
create function windows_of_stream(
  table_name text,
  from_window timestamptz,
  to_window timestamptz,
  written_before timestamptz
) returns bigint
language plpgsql stable as $$
declare
  found bigint;
begin
  execute format(
    'select count(*)
    from %I.%I
    where window_start >= $1
      and window_start < $2
      and origin = ''stream''
      and updated_at < $3',
    current_schema(),
    table_name
  ) into found using from_window, to_window, written_before;
  return found;
end
$$;
