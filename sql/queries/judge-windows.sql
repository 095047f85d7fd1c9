-- Judges every expected window of a pipeline ($1) and its source ($2) from $3 to $4 and writes down what is new; says how many have each
-- verdict, and how many rows that changed. What is expected comes from the registry and the calendar alone. To be run in the
-- transaction that begin-judging.sql began.
--
-- $5 narrows it to some locations. $6 names the ruling for each set of facts, whose bits are those of domain/completeness-facts.ts;
-- $7 to $9 are the rulings: verdict, reason, and whether it is a good one. Hours that end after $10 are open. $11: into how many shards
-- the registry is cut now. $12: whether the stream is behind; $13: how far it had read, by partition. $14 to $18: locations, hours and places
-- of records that were published and are not stored. $19: how often a repair is tried. $20: from where on the source's history reaches,
-- null without one. $21 and $22: states of open backfills, and of chunks that have ended. $23: ids of workflows that repair now. $24: when
-- the log's ends were taken of which the stream is known to have read so far. $25: the topics whose dead letters are the pipeline's.
with
watched as (
  select
    ${key} as entity_id,
    cadence_minutes * interval '1 minute' as cadence,
    -- Where the slots of its polls begin: domain/polling.ts.
    timestamptz 'epoch' + ${key} % cadence_minutes * interval '1 minute' as first_slot,
    min_observations_per_hour as expected,
    active_from,
    coalesce(active_to, 'infinity') as active_to
  from ${registry}
  where $5::bigint[] is null
    or ${key} = any($5::bigint[])
),
hours as (
  select
    window_start,
    window_start + interval '1 hour' as window_end
  from generate_series($3::timestamptz, $4::timestamptz - interval '1 hour', interval '1 hour') as window_start
),
compared as materialized (
  select
    w.entity_id,
    w.cadence,
    w.first_slot,
    w.expected,
    hours.window_start,
    hours.window_end,
    coalesce(t.observation_count, 0)::integer as observed,
    h.observation_count::integer as aggregated,
    h.origin = 'stream' and h.updated_at >= $24 as is_fresh,
    -- Null when the hour's row is the aggregate; else both, to be looked at figure by figure.
    case
      when not (
        (t.${key} is null) = (h.${key} is null)
        and (
          t.${key} is null
          or t.observation_count = h.observation_count
          and t.first_observed_at = h.first_observed_at
          and t.last_observed_at = h.last_observed_at
          and figures_agree(t.${figure}, h.${figure})
        )
      )
      then jsonb_build_object(
        'observation_count', jsonb_build_array(t.observation_count, h.observation_count),
        '${figure}', jsonb_build_array(t.${figure}, h.${figure}),
        'first_observed_at', jsonb_build_array(t.first_observed_at, h.first_observed_at),
        'last_observed_at', jsonb_build_array(t.last_observed_at, h.last_observed_at)
      )
    end as figures
  from watched w
  -- A condition of which the planner guesses that half of the windows fulfil it: of two inequalities it guesses a ninth.
  join hours
    on case
      when hours.window_start >= w.active_from then hours.window_end <= w.active_to
      else false
    end
  left join ${windows}_truth($3, $4, $5) t
    on t.${key} = w.entity_id
    and t.window_start = hours.window_start
  left join ${windows} h
    on h.${key} = w.entity_id
    and h.window_start = hours.window_start
    and h.window_start >= $3
    and h.window_start < $4
),
differing as (
  select
    c.entity_id,
    c.window_start,
    jsonb_object_agg(
      figure.key,
      jsonb_build_object('observations', figure.value -> 0, 'hourly', figure.value -> 1)
    ) as figures
  from compared c
  cross join lateral jsonb_each(c.figures) as figure
  where c.figures is not null
    and case
      when jsonb_typeof(figure.value -> 0) = 'number' and jsonb_typeof(figure.value -> 1) = 'number'
      then not figures_agree((figure.value ->> 0)::double precision, (figure.value ->> 1)::double precision)
      else figure.value -> 0 is distinct from figure.value -> 1
    end
  group by
    c.entity_id,
    c.window_start
),
-- Hours that differ and hold a row which the stream may have written before it came to write the hour.
unread as (
  select
    c.entity_id,
    c.window_start,
    newest.is_unread
  from compared c
  -- The limit keeps this a look at each of these hours: joined, it might read all observations.
  cross join lateral (
    select true as is_unread
    from ${facts} o
    join jsonb_to_recordset($13::jsonb) as log (topic text, partition integer, committed bigint)
      on log.topic = o.topic
      and log.partition = o.partition_id
      and o.record_offset >= coalesce(log.committed, 0)
    where o.${key} = c.entity_id
      and o.observed_at >= c.window_start
      and o.observed_at < c.window_end
    limit 1
  ) as newest
  where c.figures is not null
  union
  -- The other way round: what was published since then may be counted before it is stored.
  select
    entity_id,
    window_start,
    true
  from compared
  where aggregated > observed
    and is_fresh
),
-- Only where observations are wanting is anything asked of the polls.
wanting as materialized (
  select entity_id, cadence, first_slot, window_start, window_end
  from compared
  where observed < expected
    and window_end <= $10
),
polls as materialized (
  select
    w.entity_id,
    w.cadence,
    w.first_slot,
    w.window_start,
    begins,
    begins + w.cadence as ends
  from wanting w
  cross join lateral generate_series(
    date_bin(w.cadence, w.window_start + w.cadence - interval '1 microsecond', w.first_slot),
    w.window_end - interval '1 microsecond',
    w.cadence
  ) as begins
),
-- Only of the hours of these polls are runs looked at: there are very many ids in them.
runs as materialized (
  select
    coalesce(r.shards, $11::integer) as shards,
    r.shard,
    r.scheduled_at,
    hour.begins as hour,
    -- Time spans are joined by what they have in common: by the shard alone, each would meet every other one.
    date_bin('15 minutes', r.scheduled_at, 'epoch') as quarter,
    r.started_at,
    r.finished_at,
    r.status,
    r.unchanged_ids
  from ingest_runs r
  join (
    select distinct hour.begins
    from (select distinct begins, ends from polls) as slot
    cross join lateral generate_series(
      date_bin('1 hour', slot.begins, 'epoch'),
      slot.ends - interval '1 microsecond',
      interval '1 hour'
    ) as hour (begins)
  ) as hour
    on hour.begins = date_bin('1 hour', r.scheduled_at, 'epoch')
  where r.pipeline = $1
    and r.source = $2
    -- The last slot of an hour may be as long as the longest cadence.
    and r.scheduled_at >= $3
    and r.scheduled_at < $4::timestamptz + interval '1 day'
),
cuts as materialized (
  select distinct shards
  from runs
),
-- Each location with the time of its polls, and the shard that it is in of each number of shards.
polled as materialized (
  select
    p.entity_id,
    p.cadence,
    p.first_slot,
    min(p.begins) as first_begins,
    max(p.ends) as last_ends,
    c.shards,
    (p.entity_id % c.shards)::integer as shard
  from polls p
  cross join cuts c
  group by
    p.entity_id,
    p.cadence,
    p.first_slot,
    c.shards
),
-- When the observations about these polls were published, with the quarters of an hour in which the run that did so may have begun.
published as materialized (
  select
    p.entity_id,
    p.cadence,
    p.first_slot,
    p.shards,
    p.shard,
    o.published_at,
    date_bin('15 minutes', o.published_at, 'epoch') - earlier * interval '15 minutes' as quarter
  from polled p
  -- The offset keeps this a look at each of these locations: joined, it might read all observations.
  cross join lateral (
    select published_at
    from ${facts}
    where ${key} = p.entity_id
      -- For the planner, which leaves out partitions by these.
      and observed_at >= $3::timestamptz - interval '3 hours'
      and observed_at < $4::timestamptz + interval '1 day'
      -- An observation is published soon after it was made, by a clock that may be wrong.
      and observed_at >= p.first_begins - interval '3 hours'
      and observed_at < p.last_ends + interval '1 hour'
      and published_at >= p.first_begins
      and published_at < p.last_ends + interval '15 minutes'
    offset 0
  ) as o
  cross join generate_series(0, 1) as earlier
),
-- What is on record of the polls: each with the beginning of its slot.
outcomes as (
  select
    p.entity_id,
    date_bin(p.cadence, r.scheduled_at, p.first_slot) as begins,
    r.shard,
    r.scheduled_at,
    'unchanged' as outcome,
    null as reason
  from runs r
  cross join unnest(r.unchanged_ids) as unchanged (entity_id)
  join polled p
    on p.entity_id = unchanged.entity_id
    and p.shards = r.shards
  where (r.shards, r.shard) in (
    select
      shards,
      shard
    from polled
  )
  union all
  -- A run that published what is stored: in its time, as Kafka's timestamp says.
  select
    p.entity_id,
    date_bin(p.cadence, r.scheduled_at, p.first_slot),
    r.shard,
    r.scheduled_at,
    'stored',
    null
  from published p
  join runs r
    on r.shards = p.shards
    and r.shard = p.shard
    and r.quarter = p.quarter
    and r.scheduled_at <= p.published_at
    and r.scheduled_at > p.published_at - interval '15 minutes'
    and r.started_at <= p.published_at
    and coalesce(r.finished_at, 'infinity') >= p.published_at
  union all
  select
    p.entity_id,
    p.begins,
    e.shard,
    e.scheduled_at,
    e.outcome,
    e.reason
  from ingest_exceptions e
  join polls p
    on p.entity_id = e.entity_id
    and p.begins = date_bin(p.cadence, e.scheduled_at, p.first_slot)
  where e.pipeline = $1
    and e.source = $2
    and e.scheduled_at >= $3
    and e.scheduled_at < $4::timestamptz + interval '1 day'
),
of_slots as (
  select
    entity_id,
    begins,
    bool_or(outcome in ('unchanged', 'stored')) as is_answered,
    bool_or(outcome = 'rejected') as is_rejected,
    bool_or(outcome in ('failed', 'skipped')) as has_failed,
    jsonb_agg(
      jsonb_build_object('shard', shard, 'scheduledAt', scheduled_at, 'outcome', outcome, 'reason', reason)
      order by scheduled_at
    ) as outcomes
  from outcomes
  where (entity_id, begins) in (
    select
      entity_id,
      begins
    from polls
  )
  group by
    entity_id,
    begins
),
-- The slots of the polls, with the hours that they touch.
slots as materialized (
  select
    slot.shards,
    slot.shard,
    slot.begins,
    slot.ends,
    hour.begins as hour
  from (
    select distinct
      c.shards,
      (p.entity_id % c.shards)::integer as shard,
      p.begins,
      p.ends
    from polls p
    cross join cuts c
  ) as slot
  cross join lateral generate_series(
    date_bin('1 hour', slot.begins, 'epoch'),
    slot.ends - interval '1 microsecond',
    interval '1 hour'
  ) as hour (begins)
),
slots_with_run as (
  select distinct
    s.shards,
    s.shard,
    s.begins,
    s.ends
  from slots s
  join runs r
    on r.shards = s.shards
    and r.shard = s.shard
    and r.hour = s.hour
    and r.scheduled_at >= s.begins
    and r.scheduled_at < s.ends
    and r.status = 'completed'
),
polls_with_run as (
  select distinct
    p.entity_id,
    p.begins
  from polls p
  cross join cuts c
  join slots_with_run r
    on r.shards = c.shards
    and r.shard = (p.entity_id % c.shards)::integer
    and r.begins = p.begins
    and r.ends = p.ends
),
-- Whatever was due in a completed run has a record, is among its unchanged ids or has an exception; what has none of the three
-- stored was published.
judged_polls as (
  select
    p.entity_id,
    p.window_start,
    (p.entity_id % $11::integer)::integer as shard,
    p.begins,
    p.ends,
    s.outcomes,
    case
      when s.is_answered then 'answered'
      when s.is_rejected then 'rejected'
      when s.has_failed then 'failed'
      when r.begins is null then 'not_run'
      else 'unaccounted'
    end as outcome
  from polls p
  left join of_slots s
    on s.entity_id = p.entity_id
    and s.begins = p.begins
  left join polls_with_run r
    on r.entity_id = p.entity_id
    and r.begins = p.begins
),
explained as (
  select
    entity_id,
    window_start,
    bool_or(outcome = 'not_run') as run_is_missing,
    bool_or(outcome = 'failed') as call_failed,
    bool_or(outcome = 'rejected') as record_was_rejected,
    bool_and(outcome = 'answered') as source_was_unchanged,
    jsonb_build_object(
      'missingRuns', jsonb_agg(jsonb_build_object('shard', shard, 'from', begins, 'to', ends) order by begins) filter (where outcome = 'not_run'),
      'unaccountedPolls', jsonb_agg(jsonb_build_object('shard', shard, 'from', begins, 'to', ends) order by begins) filter (where outcome = 'unaccounted'),
      'failedCalls', jsonb_agg(outcomes order by begins) filter (where outcome = 'failed'),
      'rejectedCalls', jsonb_agg(outcomes order by begins) filter (where outcome = 'rejected'),
      'answeredPolls', jsonb_agg(outcomes order by begins) filter (where outcome = 'answered')
    ) as evidence
  from judged_polls
  group by
    entity_id,
    window_start
),
-- Whose hour a letter is of says the nominal time of the run that published it, else the time at which it was.
letters as (
  select
    w.entity_id,
    w.window_start,
    jsonb_agg(
      jsonb_build_object('topic', l.topic, 'partition', l.partition_id, 'offset', l.record_offset, 'reason', l.reason)
      order by l.topic, l.partition_id, l.record_offset
    ) as letters
  from dead_letters l
  cross join lateral (
    select
      case
        when pg_input_is_valid(l.headers ->> 'scheduled_at', 'timestamptz')
        then (l.headers ->> 'scheduled_at')::timestamptz
        else l.published_at
      end as at
  ) as due
  join wanting w
    on l.key = convert_to(w.entity_id::text, 'UTF8')
    -- The header is somebody else's: of a time like the year 294276 no hour can be made.
    and due.at >= w.window_start
    and due.at < w.window_end
  where l.topic = any($25::text[])
    and l.published_at >= $3
    and l.published_at < $4::timestamptz + interval '1 day'
    and coalesce(l.outcome, '') not in ('stored', 'duplicate')
  group by
    w.entity_id,
    w.window_start
),
lost as (
  select
    entity_id,
    window_start,
    jsonb_agg(jsonb_build_object('topic', topic, 'partition', partition_id, 'offset', record_offset) order by topic, partition_id, record_offset) as published
  from unnest($14::bigint[], $15::timestamptz[], $16::text[], $17::integer[], $18::bigint[])
    as record (entity_id, window_start, topic, partition_id, record_offset)
  group by
    entity_id,
    window_start
),
-- What backfills have done or are to do in these hours: the windows of each chunk, hour by hour.
planned as materialized (
  select
    (entity.value ->> 'id')::bigint as entity_id,
    hour.window_start,
    c.backfill_id,
    c.chunk_key,
    c.status,
    c.finished_at,
    b.purpose = 'repair' and b.status = any($21::text[]) and c.status <> all($22::text[]) as is_open_repair,
    b.purpose = 'repair' and c.status = 'done' as is_done_repair,
    b.request ->> 'input' = 'history'
      and c.status = 'done'
      and c.started_at >= hour.window_start + interval '1 hour'
      and not c.failures @> jsonb_build_array(jsonb_build_object('entityId', entity.value -> 'id')) as is_exhausting
  from backfill_chunks c
  join backfills b
    on b.backfill_id = c.backfill_id
    and b.pipeline = $1
  cross join lateral jsonb_array_elements(c.windows -> 'entities') as entity
  cross join lateral jsonb_array_elements_text(entity.value -> 'hours') with ordinality as set (hours, position)
  cross join lateral (
    select (c.first_day + (set.position - 1)::integer)::timestamp at time zone 'UTC' + bit * interval '1 hour' as window_start
    from generate_series(0, 23) as bit
    where (set.hours::integer >> bit) & 1 = 1
  ) as hour
  where c.first_day < $4::timestamptz at time zone 'UTC'
    and c.last_day >= date_trunc('day', $3::timestamptz at time zone 'UTC')
    and c.status not in ('failed', 'cancelled')
    and hour.window_start >= $3
    and hour.window_start < $4
    and ($5::bigint[] is null or (entity.value ->> 'id')::bigint = any($5::bigint[]))
),
of_backfills as (
  select
    entity_id,
    window_start,
    bool_or(is_open_repair) as is_under_repair,
    bool_or(is_done_repair) as was_repaired,
    max(finished_at) filter (where is_exhausting) as exhausted_at,
    jsonb_agg(jsonb_build_object('backfill', backfill_id, 'chunk', chunk_key, 'status', status) order by finished_at, backfill_id, chunk_key) as backfills
  from planned
  group by
    entity_id,
    window_start
),
-- All that is known of single windows, few of them as a rule: what judges every window joins it once.
noted as materialized (
  select
    entity_id,
    window_start,
    x.run_is_missing,
    x.call_failed,
    coalesce(x.record_was_rejected, false) or l.letters is not null as record_was_rejected,
    x.source_was_unchanged,
    x.source_was_unchanged is not null as has_polls,
    u.is_unread,
    s.published is not null as is_published,
    b.is_under_repair,
    b.was_repaired,
    b.exhausted_at,
    coalesce(x.evidence, '{}')
      || jsonb_build_object('deadLetters', l.letters, 'published', s.published, 'figures', d.figures, 'backfills', b.backfills) as evidence
  from (
    select entity_id, window_start
    from explained
    union
    select entity_id, window_start
    from letters
    union
    select entity_id, window_start
    from lost
    union
    select entity_id, window_start
    from unread
    union
    select entity_id, window_start
    from differing
    union
    select entity_id, window_start
    from of_backfills
  ) as noted_window
  left join explained x using (entity_id, window_start)
  left join letters l using (entity_id, window_start)
  left join lost s using (entity_id, window_start)
  left join unread u using (entity_id, window_start)
  left join differing d using (entity_id, window_start)
  left join of_backfills b using (entity_id, window_start)
),
previous as (
  select *
  from window_completeness
  where pipeline = $1
    and window_start >= $3
    and window_start < $4
    and ($5::bigint[] is null or entity_id = any($5::bigint[]))
),
judged as materialized (
  select
    c.entity_id,
    c.window_start,
    c.expected,
    c.observed,
    c.aggregated,
    ruling.verdict,
    ruling.reason,
    ruling.is_good,
    case
      when not ruling.is_good
      then jsonb_strip_nulls(coalesce(n.evidence, '{}') || jsonb_build_object('reading', case when fact.is_behind then $13::jsonb end))
    end as evidence,
    greatest(p.exhausted_at, n.exhausted_at) as exhausted_at,
    exhausted.observed as exhausted_observed,
    p.verdict as previous_verdict,
    p.reason as previous_reason,
    p.entity_id is null as is_new,
    p.entity_id is null
      or p.expected <> c.expected
      or p.observed <> c.observed
      or p.aggregated is distinct from c.aggregated
      or p.verdict <> ruling.verdict
      or p.reason is distinct from ruling.reason
      or coalesce(n.exhausted_at > coalesce(p.exhausted_at, '-infinity'), false) as is_changed
  from compared c
  left join previous p
    on p.entity_id = c.entity_id
    and p.window_start = c.window_start
  left join noted n
    on n.entity_id = c.entity_id
    and n.window_start = c.window_start
  -- A row that was lost after the backfill had ended is not one that the source did not have. What the hour's row counts was stored.
  cross join lateral (
    select
      case
        when n.exhausted_at > coalesce(p.exhausted_at, '-infinity') then greatest(c.observed, c.aggregated)
        else greatest(p.exhausted_observed, case when n.exhausted_at is not null then c.observed end)
      end as observed
  ) as exhausted
  cross join lateral (
    select
      c.window_end > $10 as is_open,
      c.observed >= c.expected as is_enough,
      coalesce(n.is_unread, false)
        -- What was settled stays so while nothing of it has changed, or each lag of the stream would unsettle years.
        or $12::boolean
        and not coalesce(
          (p.verdict = 'complete_at_source' and c.figures is null or p.verdict = 'unrepairable')
          and p.expected = c.expected
          and p.observed = c.observed
          and p.aggregated is not distinct from c.aggregated,
          false
        ) as is_behind,
      -- An hour in which no poll was due has brought nothing new.
      c.observed < c.expected and coalesce(n.source_was_unchanged, true) as source_was_unchanged,
      coalesce(n.is_under_repair, false) or coalesce(p.repair_workflow_id = any($23::text[]), false) as is_under_repair,
      n.exhausted_at is not null and c.observed >= exhausted.observed as source_is_exhausted
  ) as fact
  join unnest($7::text[], $8::text[], $9::boolean[]) with ordinality as ruling (verdict, reason, is_good, place)
    on ruling.place = ($6::smallint[])[
      1
      -- These operators bind alike.
      + (
        fact.is_open::integer
        | (fact.is_enough::integer << 1)
        | ((c.observed > 0)::integer << 2)
        | ((c.figures is null)::integer << 3)
        | (fact.is_behind::integer << 4)
        | (coalesce(n.run_is_missing, false)::integer << 5)
        | (coalesce(n.call_failed, false)::integer << 6)
        | (coalesce(n.record_was_rejected, false)::integer << 7)
        | (fact.source_was_unchanged::integer << 8)
        | (coalesce(n.is_published, false)::integer << 9)
        | (fact.is_under_repair::integer << 10)
        | (fact.source_is_exhausted::integer << 11)
        | ((coalesce(n.has_polls and c.window_start >= $20, false) and not fact.source_is_exhausted)::integer << 12)
        | ((coalesce(n.was_repaired, false) or p.repair_workflow_id is not null)::integer << 13)
        | ((coalesce(p.attempts, 0) >= $19)::integer << 14)
      )
    ]
),
stored as (
  insert into window_completeness as known (
    pipeline,
    entity_id,
    window_start,
    expected,
    observed,
    aggregated,
    verdict,
    reason,
    evidence,
    checked_at,
    exhausted_at,
    exhausted_observed
  )
  select
    $1,
    entity_id,
    window_start,
    expected,
    observed,
    aggregated,
    verdict,
    reason,
    evidence,
    now(),
    exhausted_at,
    exhausted_observed
  from judged
  where is_changed
  on conflict (pipeline, entity_id, window_start) do update
  set
    expected = excluded.expected,
    observed = excluded.observed,
    aggregated = excluded.aggregated,
    verdict = excluded.verdict,
    reason = excluded.reason,
    evidence = excluded.evidence,
    checked_at = excluded.checked_at,
    exhausted_at = excluded.exhausted_at,
    exhausted_observed = excluded.exhausted_observed,
    -- Only a good verdict has no evidence.
    attempts = case when excluded.evidence is null then 0 else known.attempts end
),
changes as (
  insert into window_completeness_changes (
    pipeline,
    entity_id,
    window_start,
    changed_at,
    previous_verdict,
    previous_reason,
    verdict,
    reason
  )
  select
    $1,
    entity_id,
    window_start,
    now(),
    previous_verdict,
    previous_reason,
    verdict,
    reason
  from judged
  where is_changed
    and case
      when is_new then not is_good
      else (verdict, reason) is distinct from (previous_verdict, previous_reason)
    end
)
select
  verdict,
  count(*)::integer as windows,
  (count(*) filter (where is_changed))::integer as changed
from judged
group by verdict
