insert into flink_job_events (
  job_name,
  sequence,
  happened_at,
  event,
  state,
  version,
  attempt,
  flink_job_id,
  reason
)
values ($1, $2, $3, $4, $5, nullif($6, ''), $7, nullif($8, ''), nullif($9, ''))
on conflict (job_name, sequence) do nothing
