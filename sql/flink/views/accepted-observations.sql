-- The first record of each (city, time of observation) wins; every later one with that key is a duplicate. All tables are
-- fed from here, so they agree on what was accepted.
CREATE VIEW accepted_observations AS
SELECT *
FROM (
  SELECT
    *,
    ROW_NUMBER() OVER (PARTITION BY city_id, observed_at ORDER BY arrived_at ASC) AS arrival
  FROM flattened_records
)
WHERE arrival = 1
