select
  build_id,
  kind,
  accepted_types,
  wished_at
from worker_wishes
where deployment = $1
