select
  (select count(*) from observations where observed_at > now() - interval '1 day') as observations,
  (select count(*) from observations where observed_at > now() - interval '1 day' and stored_at > now() - interval '1 minute') as last_minute,
  (select count(*) from weather_hourly where window_start = date_trunc('hour', now())) as cities,
  (select max(observed_at) from observations where observed_at between now() - interval '7 days' and now()) as newest
