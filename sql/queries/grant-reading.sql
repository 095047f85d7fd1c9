-- Lets the role $1 read everything, where there is such a role.
select grant_reading($1) as is_granted
