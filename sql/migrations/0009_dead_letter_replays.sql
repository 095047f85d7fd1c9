-- What became of the last replay of a dead letter.
alter table dead_letters
  add column outcome_reason text,
  add column replayed_by text,
  add column replayed_to_topic text,
  add column replayed_to_partition integer,
  add column replayed_to_offset bigint,
  add constraint dead_letters_outcome_known
    check (outcome in ('publishing', 'published', 'stored', 'duplicate', 'refused', 'lost'));

comment on column dead_letters.replayed_at is 'when it came to its outcome; null when it was never replayed';
comment on column dead_letters.outcome is 'of the last replay: publishing, published, stored, duplicate, refused, lost';
comment on column dead_letters.outcome_reason is 'in words, where the outcome needs them';
comment on column dead_letters.replayed_by is 'the id of the first run of the workflow that replayed it last';
comment on column dead_letters.replayed_to_offset is 'where the last replay published it';
