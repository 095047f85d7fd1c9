select attempts
from ingest_runs
where pipeline = $1
  and source = $2
  and shard = $3
  and scheduled_at = $4
