-- The same records as a load reads them: exactly these offsets of one topic. Every partition is named in both, or it would be
-- read from its beginning, or without an end.
ALTER TABLE records SET (
  'topic' = ${topic},
  'properties.group.id' = ${load},
  'scan.startup.mode' = 'specific-offsets',
  'scan.startup.specific-offsets' = ${offsets_first},
  'scan.bounded.mode' = 'specific-offsets',
  'scan.bounded.specific-offsets' = ${offsets_end}
)
