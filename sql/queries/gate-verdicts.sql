select
  build_id,
  gate,
  passed,
  reason,
  details,
  judged_at
from worker_gate_verdicts
order by judged_at
