-- What a run of a backfill leaves behind besides states: where its records are, and whom it could not get.
alter table backfill_chunks
add column offsets jsonb,
add column failures jsonb not null default '[]';

comment on column backfill_chunks.offsets is 'where in the topic of its path its records are: [{"partition": 0, "first": 17, "end": 42}]; null as long as that is not known';
comment on column backfill_chunks.failures is 'locations of which it could not get the records, with the reason: [{"entityId": 1, "reason": "…"}]';

alter table backfills
add column file jsonb;

comment on column backfills.file is 'how far its file was read: {"line": 1, "published": 1, "skipped": 0, "malformed": 0}';

create index backfill_chunks_to_load on backfill_chunks (backfill_id, position) where status in ('published', 'loaded');
