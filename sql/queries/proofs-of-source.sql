-- What proves that the source has no more of a window ($4, until $5) of a location ($3): runs that found nothing new, and chunks of
-- backfills from its history that have loaded what it has. Good verdicts have no evidence on record: it is found again here.
select
  (
    select jsonb_agg(
      jsonb_build_array(
        jsonb_build_object('shard', r.shard, 'scheduledAt', r.scheduled_at, 'outcome', 'unchanged')
      )
      order by r.scheduled_at
    )
    from ingest_runs r
    where r.pipeline = $1
      and r.source = $2
      and r.scheduled_at >= $4
      and r.scheduled_at < $5
      and $3::bigint = any(r.unchanged_ids)
  ) as answered_polls,
  (
    select jsonb_agg(
      jsonb_build_object('backfill', c.backfill_id, 'chunk', c.chunk_key, 'status', c.status)
      order by c.finished_at, c.backfill_id, c.chunk_key
    )
    from backfill_chunks c
    join backfills b
      on b.backfill_id = c.backfill_id
      and b.pipeline = $1
      and b.request ->> 'input' = 'history'
    cross join lateral jsonb_array_elements(c.windows -> 'entities') as entity
    cross join lateral jsonb_array_elements_text(entity.value -> 'hours') with ordinality as day (hours, position)
    where c.status = 'done'
      and c.started_at >= $5
      and (entity.value ->> 'id')::bigint = $3
      and c.first_day + (day.position - 1)::integer = ($4::timestamptz at time zone 'UTC')::date
      and (day.hours::integer >> extract(hour from $4::timestamptz at time zone 'UTC')::integer) & 1 = 1
      and not c.failures @> jsonb_build_array(jsonb_build_object('entityId', entity.value -> 'id'))
  ) as backfills
