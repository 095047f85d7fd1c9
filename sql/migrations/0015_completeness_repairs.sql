-- Completeness: when a window's repair was begun, and what a person was told of each check.
alter table window_completeness add column repair_begun_at timestamptz;
comment on column window_completeness.repair_begun_at is 'when its repair was begun the last time';

alter table completeness_checks add column alert jsonb;
comment on column completeness_checks.alert is 'the notice that this check has given, as docs/alerts.md says; null for none';

-- What was found since a check.
create index window_completeness_changes_by_time on window_completeness_changes using brin (changed_at) with (pages_per_range = 32);
