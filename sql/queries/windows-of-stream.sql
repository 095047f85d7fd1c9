-- How many windows of the table $1, from $2 to $3, a candidate's can be compared with.
select windows_of_stream($1, $2, $3) as windows
