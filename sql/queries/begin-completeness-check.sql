-- A transaction that is open now may still store rows that bear an earlier time: so much is taken off. A check that is begun once
-- more keeps its beginning.
insert into completeness_checks as known (pipeline, check_id, judged_from, judged_to, stored_until, log_ends)
values ($1, $2, $3, $4, now() - interval '10 minutes', $5)
on conflict (pipeline, check_id) do update
set
  judged_from = least(known.judged_from, excluded.judged_from),
  judged_to = greatest(known.judged_to, excluded.judged_to),
  log_ends = coalesce(excluded.log_ends, known.log_ends)
returning
  check_id,
  judged_from,
  judged_to,
  began_at,
  ended_at,
  stored_until,
  log_ends,
  counts,
  changed
