-- The clock by which rows are stamped.
select now() as now
