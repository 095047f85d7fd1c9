-- What the actor knows, for the next one. An older writer never replaces a newer one.
insert into flink_jobs (
  name,
  desired,
  is_parked,
  state,
  desired_version,
  version,
  attempt,
  flink_job_id,
  restore_path,
  reason,
  sequence,
  upgrades
)
values ($1, $2, $3, $4, nullif($5, ''), nullif($6, ''), $7, nullif($8, ''), nullif($9, ''), nullif($10, ''), $11, $12)
on conflict (name) do update
set
  desired = excluded.desired,
  is_parked = excluded.is_parked,
  state = excluded.state,
  desired_version = excluded.desired_version,
  version = excluded.version,
  attempt = excluded.attempt,
  flink_job_id = excluded.flink_job_id,
  restore_path = excluded.restore_path,
  reason = excluded.reason,
  sequence = excluded.sequence,
  upgrades = excluded.upgrades,
  changed_at = now()
where flink_jobs.sequence <= excluded.sequence
