-- What Flink writes with: it reads and writes the pipeline's tables, and can do nothing else.
do $$
declare
  pipeline_role text := current_setting('hourglass.pipeline_role');
begin
  execute format('grant usage on schema %I to %I', current_schema(), pipeline_role);
  execute format('grant select, insert, update on observations, weather_hourly to %I', pipeline_role);
end
$$;
