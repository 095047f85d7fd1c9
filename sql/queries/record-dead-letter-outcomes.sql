-- Writes down what became of letters. One that is stored stays stored, whatever another run says of it.
update dead_letters d
set
  outcome = letter.outcome,
  outcome_reason = letter.reason,
  replayed_at = now(),
  replayed_by = $1,
  replayed_to_topic = letter.to_topic,
  replayed_to_partition = letter.to_partition,
  replayed_to_offset = letter.to_offset
from unnest($2::text[], $3::integer[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::integer[], $9::bigint[])
  as letter (topic, partition_id, record_offset, outcome, reason, to_topic, to_partition, to_offset)
where d.topic = letter.topic
  and d.partition_id = letter.partition_id
  and d.record_offset = letter.record_offset
  and d.outcome is distinct from 'stored'
