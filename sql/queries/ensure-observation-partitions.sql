select ensure_observation_partitions($1::date, $2::date) as made
