insert into worker_wishes (deployment, build_id, kind, accepted_types)
values ($1, $2, $3, $4)
on conflict (deployment) do update
set
  build_id = excluded.build_id,
  kind = excluded.kind,
  accepted_types = excluded.accepted_types,
  wished_at = clock_timestamp()
