-- One hour of a location, as far as it is shown, beside what is stored of it.
select
  (
    select count(*)
    from observations
    where city_id = $1
      and observed_at >= $2
      and observed_at < $2::timestamptz + interval '1 hour'
  ) as stored,
  (
    select to_jsonb(h)
    from weather_hourly h
    where city_id = $1
      and window_start = $2
  ) as row
