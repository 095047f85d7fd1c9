select
  partition_id,
  records,
  first_offset,
  last_offset
from batch_reads
where load_id = $1
order by partition_id
