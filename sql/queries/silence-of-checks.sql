-- Since when no check but $2 has ended. Before the first end: since there was one to wait for, or anything to judge.
select
  coalesce(
    (
      select ended_at
      from completeness_checks
      where pipeline = $1
        and ended_at is not null
        and check_id is distinct from $2
      order by began_at desc
      limit 1
    ),
    least(
      (
        select min(began_at)
        from completeness_checks
        where pipeline = $1
      ),
      (
        select min(scheduled_at)
        from ingest_runs
        where pipeline = $1
      )
    )
  ) as since
