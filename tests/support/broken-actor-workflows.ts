/** What a replay gate must refuse: an actor that does not do what its histories say, and does not read what its runs carry. */
import { sleep } from '@temporalio/workflow';
import { flinkJob as present } from '../../workflows/flink-job.ts';

export * from '../../workflows/index.ts';

export async function flinkJob(carried: Parameters<typeof present>[0]): Promise<void> {
  await sleep('1 second');
  return present(carried);
}

export const carriedStates = {
  flinkJob: {
    safeParse: () => ({ success: false, error: { issues: [{ path: ['phase'], message: 'is not known' }] } }),
  },
};
