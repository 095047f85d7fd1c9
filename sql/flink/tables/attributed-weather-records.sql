-- Who has published a record, and whether it is to replace a stored one.
ALTER TABLE weather_records MODIFY (
  backfill AS DECODE(headers['backfill'], 'UTF-8'),
  revision AS COALESCE(TRY_CAST(DECODE(headers['revision'], 'UTF-8') AS INT), 0)
)
