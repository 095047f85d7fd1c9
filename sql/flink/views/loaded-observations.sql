-- What a load accepts, in the place of the stream's deduplication: of each (city, time of observation) the record with the
-- highest revision, and of those the first. 'any' takes the records of a topic whoever published them.
CREATE VIEW accepted_observations AS
SELECT *
FROM (
  SELECT
    *,
    ROW_NUMBER() OVER (PARTITION BY city_id, observed_at ORDER BY revision DESC, record_offset ASC) AS arrival
  FROM flattened_records
  WHERE (${backfill} = 'any' OR backfill = ${backfill})
    AND observed_at >= TIMESTAMP ${from}
    AND observed_at < TIMESTAMP ${to}
)
WHERE arrival = 1
