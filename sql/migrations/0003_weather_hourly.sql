-- A projection of observations: one row for each city and hour (UTC). The key is the GROUP BY of the hourly view and the
-- primary key of Flink's sink: three places, the same columns.
create table weather_hourly (
  city_id bigint not null,
  window_start timestamptz not null,
  window_end timestamptz not null,
  observation_count bigint not null,
  temp_avg double precision,
  temp_min double precision,
  temp_max double precision,
  humidity_avg double precision,
  humidity_min double precision,
  humidity_max double precision,
  pressure_avg double precision,
  pressure_min double precision,
  pressure_max double precision,
  wind_avg double precision,
  wind_min double precision,
  wind_max double precision,
  clouds_avg double precision,
  clouds_min double precision,
  clouds_max double precision,
  gust_max double precision,
  rain_mm double precision,
  snow_mm double precision,
  first_observed_at timestamptz not null,
  last_observed_at timestamptz not null,
  updated_at timestamptz not null default now(),
  origin text not null check (origin in ('stream', 'batch')),
  primary key (city_id, window_start)
) with (fillfactor = 50);

comment on column weather_hourly.rain_mm is 'mean of the rates (mm in the last hour) that the hour''s observations gave, none counting as zero; null when none gave any';
comment on column weather_hourly.updated_at is 'when this state of the hour was stored';

-- How long after its end an hour belongs to the stream.
create function stream_owns_hour(window_end timestamptz) returns boolean
language sql stable
return window_end > now() - interval '36 hours';

-- A reader never sees an hour go backwards: an upsert of the stream in which anything shrinks comes from a state that knows
-- less than the stored row, so the stored row stays. The condition stands in WHEN, where it costs a third of what it would
-- cost in the function's body.
create trigger hour_never_goes_backwards
  before update on weather_hourly
  for each row
  when (
    new.origin = 'stream'
    and (
      new.observation_count < old.observation_count
      or new.first_observed_at > old.first_observed_at
      or new.last_observed_at < old.last_observed_at
      or old.temp_min is not null and (new.temp_min is null or new.temp_min > old.temp_min)
      or old.temp_max is not null and (new.temp_max is null or new.temp_max < old.temp_max)
      or old.humidity_min is not null and (new.humidity_min is null or new.humidity_min > old.humidity_min)
      or old.humidity_max is not null and (new.humidity_max is null or new.humidity_max < old.humidity_max)
      or old.pressure_min is not null and (new.pressure_min is null or new.pressure_min > old.pressure_min)
      or old.pressure_max is not null and (new.pressure_max is null or new.pressure_max < old.pressure_max)
      or old.wind_min is not null and (new.wind_min is null or new.wind_min > old.wind_min)
      or old.wind_max is not null and (new.wind_max is null or new.wind_max < old.wind_max)
      or old.clouds_min is not null and (new.clouds_min is null or new.clouds_min > old.clouds_min)
      or old.clouds_max is not null and (new.clouds_max is null or new.clouds_max < old.clouds_max)
      or old.gust_max is not null and (new.gust_max is null or new.gust_max < old.gust_max)
      or old.rain_mm is not null and new.rain_mm is null
      or old.snow_mm is not null and new.snow_mm is null
      or old.origin = 'batch' and not stream_owns_hour(old.window_end)
    )
  )
  execute function keep_stored_row();

create function touch_updated_at() returns trigger
language plpgsql as $$
begin
  new.updated_at := now();
  return new;
end
$$;

create trigger updated_at_is_the_databases
  before update on weather_hourly
  for each row
  execute function touch_updated_at();
