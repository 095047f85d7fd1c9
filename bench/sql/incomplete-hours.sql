-- Hours with an observation that lacks a figure: their means cannot be carried on from the stored ones.
create table if not exists incomplete_hours (
  city_id bigint not null,
  window_start timestamptz not null,
  primary key (city_id, window_start)
)
