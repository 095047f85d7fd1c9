-- The stream's table with the column that only an explicit reprocessing writes.
CREATE TABLE loaded_observations (
  revision INT
) LIKE air_observations
