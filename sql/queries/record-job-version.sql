insert into flink_job_versions (name, version, statements, settings)
values ($1, $2, $3, $4)
on conflict (name, version) do nothing
