select partition_id, next_offset
from record_accounts
where topic = $1
