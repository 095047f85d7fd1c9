-- Who has published a record, and whether it is to replace a stored one.
ALTER TABLE records MODIFY (
  backfill AS DECODE(headers['backfill'], 'UTF-8'),
  revision AS COALESCE(TRY_CAST(DECODE(headers['revision'], 'UTF-8') AS INT), 0)
)
