-- Until the transaction ends nobody else plans, starts or ends a backfill: two could begin to load the same windows.
select pg_advisory_xact_lock(hashtext('hourglass.backfills'))
