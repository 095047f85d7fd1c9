select status
from backfill_chunks
where backfill_id = $1
  and chunk_key = $2
for update
