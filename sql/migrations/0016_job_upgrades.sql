-- What is known of a job's versions beyond the one that runs: which is confirmed, which has still to be, and where a rollback goes.
alter table flink_jobs add column upgrades jsonb not null default '{}';
