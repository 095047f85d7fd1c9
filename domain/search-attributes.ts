/** The search attributes of the system's workflows: few, named once, all keywords. */
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';

const keyword = (name: string) => defineSearchAttributeKey(name, SearchAttributeType.KEYWORD);

export const searchAttributes = {
  job: keyword('HourglassJob'),
  state: keyword('HourglassState'),
  pipeline: keyword('HourglassPipeline'),
  source: keyword('HourglassSource'),
  window: keyword('HourglassWindow'),
  backfill: keyword('HourglassBackfill'),
} as const;
