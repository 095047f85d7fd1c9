-- One judging of a pipeline after the other: the second sees what the first wrote. An hour of a million locations is joined in memory,
-- and never row by row with what the planner takes for a handful: of an hour that has just ended its statistics do not know yet.
select
  pg_advisory_xact_lock(hashtext('judge-windows/' || $1)),
  set_config('work_mem', '128MB', true),
  set_config('enable_nestloop', 'off', true),
  set_config('jit', 'off', true)
