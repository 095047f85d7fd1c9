/** Notes in PostgreSQL each time that an hour goes backwards, whoever makes it so: what no reader may ever see. */

/** Fewer observations, a narrower range, or a value that is gone. */
const SHRINKS = ['temp', 'humidity', 'pressure', 'wind', 'clouds']
  .flatMap((figure) => [`new.${figure}_min > old.${figure}_min`, `new.${figure}_max < old.${figure}_max`])
  .concat('new.observation_count < old.observation_count', 'new.gust_max < old.gust_max')
  .concat('new.first_observed_at > old.first_observed_at', 'new.last_observed_at < old.last_observed_at')
  .concat('new.temp_avg is null and old.temp_avg is not null')
  .join(' or ');

/** The statements that set the watch, to be run as the owner of the tables. Updates that the guard refuses are none. */
export const watchForShrunkenHours: readonly string[] = [
  'create table shrunken_hours (city_id bigint, window_start timestamptz, before bigint, after bigint)',
  'grant insert on shrunken_hours to public',
  `create function note_shrunken_hour() returns trigger language plpgsql as $$
   begin
     execute format('insert into %I.shrunken_hours values ($1, $2, $3, $4)', tg_table_schema)
       using new.city_id, new.window_start, old.observation_count, new.observation_count;
     return null;
   end $$`,
  `create trigger note_shrunken_hour after update on weather_hourly
   for each row when (${SHRINKS}) execute function note_shrunken_hour()`,
];

export const shrunkenHours = 'select * from shrunken_hours';
