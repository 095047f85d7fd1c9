update api_budgets
set
  state = $2::jsonb,
  updated_at = clock_timestamp()
where key_fingerprint = $1
