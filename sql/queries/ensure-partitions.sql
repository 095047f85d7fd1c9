select ensure_partitions('${facts}', $1::date, $2::date) as made
