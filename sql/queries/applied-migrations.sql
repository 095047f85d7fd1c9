-- Which migrations the database has.
select name
from schema_migrations
