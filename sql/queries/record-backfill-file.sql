update backfills
set file = $2
where backfill_id = $1
