insert into worker_gate_verdicts (build_id, gate, passed, reason, details)
values ($1, $2, $3, $4, $5)
on conflict (build_id, gate) do update
set
  passed = excluded.passed,
  reason = excluded.reason,
  details = excluded.details,
  judged_at = clock_timestamp()
