-- Completeness: what every expected window was judged, each change of that, and the checks that judged. Verdicts and reasons are the
-- codes of domain/completeness-verdicts.ts, where they are put into words.
create table window_completeness (
  pipeline text not null,
  entity_id bigint not null,
  window_start timestamptz not null,
  expected integer not null,
  observed integer not null,
  aggregated integer,
  verdict text not null,
  reason text,
  evidence jsonb,
  checked_at timestamptz not null,
  repair_workflow_id text,
  attempts integer not null default 0,
  exhausted_at timestamptz,
  exhausted_observed integer,
  primary key (pipeline, entity_id, window_start)
);

comment on column window_completeness.expected is 'so many observations the location is to have in the hour, at least';
comment on column window_completeness.observed is 'so many are stored';
comment on column window_completeness.aggregated is 'so many the hour''s row counts; null when it has no row';
comment on column window_completeness.reason is 'null where nothing is to be explained';
comment on column window_completeness.evidence is 'the rows and offsets that prove the reason; null for a good verdict';
comment on column window_completeness.checked_at is 'when this was found first: a check that finds the same writes nothing';
comment on column window_completeness.repair_workflow_id is 'who repairs it, or repaired it last';
comment on column window_completeness.attempts is 'how often its repair was begun since it was good last';
comment on column window_completeness.exhausted_at is 'when the last backfill that asked the source''s history for all of it had done so; null for none';
comment on column window_completeness.exhausted_observed is 'the most that were stored, or counted, since: with fewer, some were lost, and the source may have more';

-- Hours are judged one after the other, so a few bytes for each block range find them again.
create index window_completeness_by_hour on window_completeness using brin (window_start) with (pages_per_range = 32, autosummarize = on);
create index window_completeness_to_mend on window_completeness (pipeline, window_start)
where verdict in ('partial', 'missing', 'mismatched', 'behind', 'repairing', 'unrepairable');

create table window_completeness_changes (
  pipeline text not null,
  entity_id bigint not null,
  window_start timestamptz not null,
  changed_at timestamptz not null,
  previous_verdict text,
  previous_reason text,
  verdict text not null,
  reason text,
  primary key (pipeline, entity_id, window_start, changed_at)
);

comment on table window_completeness_changes is 'every change of a verdict or its reason; a first verdict is one when it is not good';
comment on column window_completeness_changes.previous_verdict is 'null when it was judged for the first time';

create table completeness_checks (
  pipeline text not null,
  check_id text not null,
  judged_from timestamptz not null,
  judged_to timestamptz not null,
  began_at timestamptz not null default now(),
  ended_at timestamptz,
  stored_until timestamptz not null,
  log_ends jsonb,
  counts jsonb,
  changed integer,
  primary key (pipeline, check_id)
);

comment on column completeness_checks.judged_to is 'the end of the last hour that it was to judge';
comment on column completeness_checks.ended_at is 'null while it is under way, and when it broke off';
comment on column completeness_checks.stored_until is 'rows stored or changed until then were taken into account: older hours with later ones are judged again by the next check';
comment on column completeness_checks.log_ends is 'how far the stream had read when it began, and how far the log reached: [{"topic", "partition", "committed", "end"}]';
comment on column completeness_checks.counts is 'how many windows it judged so, by verdict: {"complete": 50}';
comment on column completeness_checks.changed is 'how many rows of the ledger it wrote';

create index completeness_checks_by_time on completeness_checks (pipeline, began_at);

-- Into how many shards the registry was cut: with another number, a location is in another one.
alter table ingest_runs add column shards integer check (shards >= 1);
comment on column ingest_runs.shards is 'of so many its shard was one; null where that was not put down';

-- Which older hours were made anew since a check; an index of this kind does not keep updates from staying on their page.
create index weather_hourly_by_change on weather_hourly using brin (updated_at) with (pages_per_range = 32);

create index dead_letters_by_time on dead_letters (published_at);

-- Sums of the same numbers in another order differ in their last digits: figures are compared in eleven.
create function figures_agree(one double precision, other double precision) returns boolean
language sql immutable parallel safe
return one is not distinct from other or coalesce(abs(one - other) <= 1e-11 * greatest(1, abs(one)), false);
