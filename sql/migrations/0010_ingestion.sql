-- How many calls a source's key has left: one row for each key, shared by everybody who calls with it. The key itself is not here.
create table api_budgets (
  key_fingerprint text primary key,
  -- The state of domain/call-budget.ts: leases of the last minute, calls of the month, a block by the source.
  state jsonb not null,
  updated_at timestamptz not null default now()
);

-- The newest observation of a location is not enough: a source may repeat what it said some time ago. Of one that it does not
-- know it has said none.
alter table location_polls
  alter column observed_at drop not null,
  add column recent_observed_at timestamptz[] not null default '{}';

update location_polls
set recent_observed_at = array[observed_at];

comment on column location_polls.recent_observed_at is 'times of the observations that were published last, the last one first';

alter table ingest_runs
  add column status text not null default 'running' check (status in ('running', 'completed', 'failed')),
  add column error text,
  add column attempts integer not null default 1,
  add column skipped integer not null default 0,
  add column api_calls integer not null default 0,
  -- {"0": 17, "1": 4}: the end of each partition of the live topic before the first call, and after the last record.
  add column first_offsets jsonb,
  add column end_offsets jsonb,
  add column unchanged_ids bigint[] not null default '{}';

update ingest_runs
set status = case when finished_at is null then 'failed' else 'completed' end;

comment on column ingest_runs.unchanged_ids is 'locations that were called and had nothing new: the proof of it';

create table ingest_exceptions (
  pipeline text not null,
  source text not null,
  shard integer not null,
  scheduled_at timestamptz not null,
  entity_id bigint not null,
  outcome text not null check (outcome in ('failed', 'rejected', 'skipped')),
  reason text not null,
  happened_at timestamptz not null default now(),
  primary key (pipeline, source, shard, scheduled_at, entity_id),
  foreign key (pipeline, source, shard, scheduled_at) references ingest_runs on delete cascade
);

comment on column ingest_exceptions.outcome is 'failed: it was called and gave no answer; rejected: it answered what is no observation; skipped: the run ended before it was called';

create index ingest_exceptions_by_entity on ingest_exceptions (entity_id, scheduled_at);
create index ingest_runs_by_time on ingest_runs (scheduled_at);
