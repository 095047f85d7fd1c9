-- How many windows of the stream (the table $2, from $3 to $4, as they were at $5) are compared with those of a candidate (its schema $1).
select windows_compared($1, $2, $3, $4, $5) as windows
