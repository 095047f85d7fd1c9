-- The control plane's record of each Flink job: the target is written here before anything is asked of Flink.
create table flink_jobs (
  name text primary key,
  desired text not null check (desired in ('running', 'suspended', 'stopped')),
  state text not null,
  version text not null,
  attempt integer not null,
  flink_job_id text not null check (flink_job_id ~ '^[0-9a-f]{32}$'),
  restore_path text,
  changed_at timestamptz not null default now()
);

-- Every version ever deployed: its SQL as written, before addresses are put in, and its settings.
create table flink_job_versions (
  name text not null,
  version text not null,
  statements jsonb not null,
  settings jsonb not null,
  created_at timestamptz not null default now(),
  primary key (name, version)
);

create table savepoints (
  job_name text not null,
  trigger_id text not null check (trigger_id ~ '^[0-9a-f]{32}$'),
  flink_job_id text not null,
  version text not null,
  kind text not null check (kind in ('manual', 'periodic', 'suspend')),
  status text not null check (status in ('pending', 'in_progress', 'completed', 'failed', 'abandoned')),
  path text,
  error text,
  created_at timestamptz not null default now(),
  finished_at timestamptz,
  primary key (job_name, trigger_id)
);
