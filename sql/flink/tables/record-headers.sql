-- The stream does not read them: Flink would fetch them for each record, asked for or not.
ALTER TABLE records ADD (
  headers MAP<STRING, BYTES> METADATA VIRTUAL
)
