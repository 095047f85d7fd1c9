/** The window that a scheduled run stands for: the time its schedule meant, as a search attribute. */
import { upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import { searchAttributes } from '../domain/search-attributes.ts';

/**
 * Makes the run findable by its nominal time, ISO 8601 in UTC, and returns it. It stays the same when the run begins late; of
 * a run started by hand it is its start.
 */
export function showWindow(): string {
  const { searchAttributes: present, startTime } = workflowInfo();
  const scheduled = present['TemporalScheduledStartTime']?.[0];
  const window = (scheduled instanceof Date ? scheduled : startTime).toISOString();
  upsertSearchAttributes([{ key: searchAttributes.window, value: window }]);
  return window;
}
