-- What each load by batch has read of its topic, as its own Flink job has counted it: whether all of it is checked afterwards.
create table batch_reads (
  load_id text not null,
  partition_id integer not null,
  records bigint not null,
  first_offset bigint not null,
  last_offset bigint not null,
  read_at timestamptz not null default now(),
  primary key (load_id, partition_id)
);

do $$
declare
  pipeline_role text := current_setting('hourglass.pipeline_role');
begin
  execute format('grant select, insert, update on batch_reads to %I', pipeline_role);
end
$$;

-- A recompute may lower an hour only to what observations holds at that moment: while the batch job counted, the stream may have
-- stored, and counted, one more.
create function observations_hold_more() returns trigger
language plpgsql as $$
begin
  if (
    select count(*)
    from observations o
    where o.city_id = new.city_id
      and o.observed_at >= new.window_start
      and o.observed_at < new.window_end
  ) > new.observation_count then
    return null;
  end if;
  return new;
end
$$;

create trigger recompute_knows_every_observation
  before update on weather_hourly
  for each row
  when (new.origin = 'batch' and new.observation_count < old.observation_count)
  execute function observations_hold_more();
