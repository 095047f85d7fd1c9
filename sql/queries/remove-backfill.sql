-- Its chunks go with it. Only one that was never started has nothing to remember.
delete from backfills
where backfill_id = $1
  and status = 'planned'
