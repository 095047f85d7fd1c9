-- The record of a job takes everything its actor must know to go on after its history is gone, and what happened to the job.
alter table flink_jobs
  alter column flink_job_id drop not null,
  alter column version drop not null,
  alter column changed_at set default now(),
  add column is_parked boolean not null default false,
  add column desired_version text,
  add column reason text,
  -- The number of the newest event on record: an older writer never replaces a newer one.
  add column sequence integer not null default 0;

update flink_jobs
set state = case state
  when 'running' then 'settling'
  when 'parking' then 'settling'
  when 'parked' then 'suspended'
  else state
end;

create table flink_job_events (
  job_name text not null,
  sequence integer not null,
  happened_at timestamptz not null,
  event text not null,
  state text not null,
  version text,
  attempt integer not null,
  flink_job_id text,
  reason text,
  primary key (job_name, sequence)
);

alter table savepoints add column disposed_at timestamptz;
