-- What was given and is physically impossible: {"temp": {"value": 999.0, "range": [-90, 60]}}. The field itself is null.
alter table observations add column rejected_values jsonb;

comment on column observations.rejected_values is 'impossible values that were set to null, with the range each had to lie in';
comment on column observations.conditions is 'all of the record''s weather[], the primary condition first';

-- The unnested conditions. A view, not a table: a condition can never belong to another record than the stored one.
create view observation_conditions as
select
  o.city_id,
  o.observed_at,
  c.position::integer as position,
  (c.condition ->> 'id')::integer as condition_id,
  c.condition ->> 'main' as condition,
  c.condition ->> 'description' as condition_description,
  c.condition ->> 'icon' as condition_icon
from observations o
cross join lateral jsonb_array_elements(o.conditions) with ordinality as c (condition, position);

comment on view observation_conditions is 'one row for each condition of an observation; the primary one has position 1';

-- Rows come in the order of their offsets and of their storing, so a few bytes for each block range find them again: which
-- offsets of a topic are stored, and which hours were touched since an audit. New block ranges are summarized by whoever asks
-- (summarize-arrivals.sql): autosummarize writes a line to the server's log for each insert once its queue of requests is full.
create index observations_by_arrival on observations using brin (record_offset, stored_at) with (pages_per_range = 32);
