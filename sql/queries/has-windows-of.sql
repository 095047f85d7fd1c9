-- Whether a window has one of the verdicts $2 now.
select exists (
  select
  from window_completeness
  where pipeline = $1
    and verdict = any($2::text[])
) as has_any
