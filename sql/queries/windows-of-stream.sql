-- How many windows of the table $1, from $2 to $3, a candidate's can be compared with, as they were at $4.
select windows_of_stream($1, $2, $3, $4) as windows
