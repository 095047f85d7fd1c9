-- Makes the tables ($2) of a candidate anew, in its schema ($1); the role $3 may write them.
select make_shadow_tables($1, $2, $3)
