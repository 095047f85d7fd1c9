insert into record_accounts (topic, partition_id, next_offset)
values ($1, $2, $3)
on conflict (topic, partition_id) do update
set
  next_offset = greatest(record_accounts.next_offset, excluded.next_offset),
  updated_at = now()
