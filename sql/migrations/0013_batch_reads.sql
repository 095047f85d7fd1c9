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
