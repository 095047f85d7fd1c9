-- The budget of a key, held until the transaction ends, and the time by the one clock that all who call go by.
insert into api_budgets as budget (key_fingerprint, state)
values ($1, $2::jsonb)
on conflict (key_fingerprint) do update
set updated_at = budget.updated_at
returning state, (extract(epoch from clock_timestamp()) * 1000)::double precision as now_ms
