-- One change of the registry at a time: two that fit the plan each by itself may not fit it together.
select pg_advisory_xact_lock(hashtext('hourglass.locations'))
