-- What people read with: every table and view of this schema, also those that later migrations make, and nothing else. Asked
-- at each start, so that a role that is made later, by whoever runs the server, is found too. False: there is no such role.
create function grant_reading(reader text) returns boolean
language plpgsql as $$
begin
  if not exists (select from pg_roles where rolname = reader) then
    return false;
  end if;
  execute format('grant usage on schema %I to %I', current_schema(), reader);
  execute format('grant select on all tables in schema %I to %I', current_schema(), reader);
  execute format('alter default privileges in schema %I grant select on tables to %I', current_schema(), reader);
  return true;
end
$$;

revoke execute on function grant_reading(text) from public;
