update backfills
set workflow_id = $2
where backfill_id = $1
