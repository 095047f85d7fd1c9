-- Backfills: what was asked for, what is planned, and how far it is. The states and what leads from one to another are in
-- domain/backfill-states.ts.
create table backfills (
  backfill_id text primary key,
  pipeline text not null,
  -- What identical requests share, and how many of them there were: the id is made of the two.
  request_key text not null,
  repeat integer not null check (repeat >= 1),
  request jsonb not null,
  purpose text not null,
  reason text not null,
  status text not null default 'planned' check (
    status in (
      'planned',
      'running',
      'paused',
      'cancelling',
      'completed',
      'completed_with_failures',
      'cancelled',
      'failed'
    )
  ),
  windows integer not null,
  skipped jsonb not null,
  chunks integer not null,
  calls integer not null,
  seconds double precision not null,
  workflow_id text not null,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  ended_at timestamptz,
  error text,
  unique (request_key, repeat)
);

comment on column backfills.windows is 'how many windows it creates';
comment on column backfills.skipped is 'how many windows it skips, by reason: {"complete": 17}';
comment on column backfills.calls is 'calls of the source that it is planned to need';
comment on column backfills.seconds is 'how long these take at the rate that it could use when it was planned';
comment on column backfills.started_at is 'when it was started or retried last';
comment on column backfills.error is 'why it failed, in words';

create index backfills_by_time on backfills (pipeline, created_at);

create table backfill_chunks (
  backfill_id text not null references backfills on delete cascade,
  chunk_key text not null,
  position integer not null,
  path text not null check (path in ('stream', 'batch')),
  -- {"firstDay": "2026-01-31", "entities": [{"id": 1, "hours": [16777215, 3]}]}: for each day from the first one on a set of hours,
  -- of which bit h stands for the hour that begins at h:00 UTC.
  windows jsonb not null,
  first_day date not null,
  last_day date not null check (last_day >= first_day),
  window_count integer not null,
  calls integer not null,
  status text not null default 'pending' check (
    status in (
      'pending',
      'fetching',
      'published',
      'loaded',
      'done',
      'failed',
      'cancelled'
    )
  ),
  attempts integer not null default 0,
  records bigint,
  error text,
  started_at timestamptz,
  finished_at timestamptz,
  primary key (backfill_id, chunk_key),
  unique (backfill_id, position)
);

comment on column backfill_chunks.attempts is 'how often it was begun';
comment on column backfill_chunks.records is 'how many records were published, or read from the log, for it; null as long as that is not known';
comment on column backfill_chunks.started_at is 'when it was begun last';
comment on column backfill_chunks.finished_at is 'when it came to its last state; null while it has not';

create index backfill_chunks_to_come on backfill_chunks (backfill_id, position) where status = 'pending';
create index backfill_chunks_by_day on backfill_chunks (first_day, last_day);
