insert into ingest_exceptions (pipeline, source, shard, scheduled_at, entity_id, outcome, reason)
select
  $1,
  $2,
  $3,
  $4,
  exception.entity_id,
  exception.outcome,
  exception.reason
from unnest($5::bigint[], $6::text[], $7::text[]) as exception (entity_id, outcome, reason)
on conflict (pipeline, source, shard, scheduled_at, entity_id) do update
set
  outcome = excluded.outcome,
  reason = excluded.reason,
  happened_at = now()
