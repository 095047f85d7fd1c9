-- What the gates of a worker's build have said, and which build is wanted. How far a deploy is stands nowhere: it follows from these
-- and from what Temporal says.
create table worker_gate_verdicts (
  build_id text not null check (build_id ~ '^[0-9a-f]{16}$'),
  gate text not null check (gate in ('replay', 'start', 'smoke', 'watch')),
  passed boolean not null,
  reason text not null default '',
  details jsonb not null default '{}',
  judged_at timestamptz not null default clock_timestamp(),
  primary key (build_id, gate)
);

create table worker_wishes (
  deployment text primary key,
  build_id text not null check (build_id ~ '^[0-9a-f]{16}$'),
  kind text not null check (kind in ('deploy', 'rollback')),
  accepted_types text[] not null default '{}',
  wished_at timestamptz not null default clock_timestamp()
);

comment on table worker_wishes is 'the build that is to be current; a verdict that is older than the wish does not count for it';
comment on column worker_wishes.accepted_types is 'workflow types of which an incompatible history is told and does not refuse the build';
