/** What the replay test must notice: a workflow that no longer does what its histories say. */
import { sleep } from '@temporalio/workflow';
import { ingestWeather as present } from '../../workflows/ingest-weather.ts';

export async function ingestWeather(input: unknown): Promise<unknown> {
  await sleep('1 second');
  return present(input);
}
