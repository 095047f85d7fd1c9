/** Runs that hang, each in its way, and one that only takes its time; for what a watch must notice, and what not. */
import { proxyActivities } from '@temporalio/workflow';

const retry = { initialInterval: '100 milliseconds', backoffCoefficient: 1 } as const;

interface Failing {
  /** Throws, always. */
  failOn(): Promise<void>;
}

export async function hangsInItsTask(): Promise<void> {
  throw new TypeError('this is not a function');
}

export async function hangsInAnActivity(): Promise<void> {
  await proxyActivities<Failing>({ startToCloseTimeout: '10 seconds', retry }).failOn();
}

/** It fails as a run, in the end. */
export async function triesForAWhile(): Promise<void> {
  await proxyActivities<Failing>({ scheduleToCloseTimeout: '5 minutes', retry }).failOn();
}
