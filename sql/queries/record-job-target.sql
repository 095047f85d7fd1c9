-- The target, before anything is asked of Flink. An older attempt never replaces a newer one.
insert into flink_jobs (name, desired, state, version, desired_version, attempt, flink_job_id, restore_path)
values ($1, 'running', 'submitting', $2, $2, $3, $4, nullif($5, ''))
on conflict (name) do update
set
  state = 'submitting',
  version = excluded.version,
  attempt = excluded.attempt,
  flink_job_id = excluded.flink_job_id,
  restore_path = excluded.restore_path,
  changed_at = now()
where flink_jobs.attempt <= excluded.attempt
returning name
