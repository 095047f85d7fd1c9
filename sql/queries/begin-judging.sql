-- One judging of a pipeline after the other: the second sees what the first wrote. An hour of a million locations is sorted and joined
-- in memory rather than in files.
select
  pg_advisory_xact_lock(hashtext('judge-windows/' || $1)),
  set_config('work_mem', '128MB', true),
  set_config('jit', 'off', true)
