-- Every record that is neither an observation nor a duplicate of one, with its bytes. Answers that ingestion refused are
-- published to the pipeline's dead-letter topic first, whose offset is their key.
create table dead_letters (
  topic text not null,
  partition_id integer not null,
  record_offset bigint not null,
  reason text not null,
  key bytea,
  raw_bytes bytea,
  headers jsonb not null default '{}',
  published_at timestamptz not null,
  first_seen timestamptz not null default now(),
  replayed_at timestamptz,
  outcome text,
  primary key (topic, partition_id, record_offset)
);

comment on column dead_letters.reason is 'in words: which field, which value, what was expected';
comment on column dead_letters.raw_bytes is 'the record''s value as it stands in Kafka; null when the record has none';
comment on column dead_letters.published_at is 'the record''s Kafka timestamp';

-- Up to where the records of each partition are accounted for.
create table record_accounts (
  topic text not null,
  partition_id integer not null,
  next_offset bigint not null,
  updated_at timestamptz not null default now(),
  primary key (topic, partition_id)
);

comment on column record_accounts.next_offset is 'the first offset that is not yet accounted for';
