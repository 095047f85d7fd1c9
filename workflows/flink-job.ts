/**
 * The actor of one Flink job: observes it, keeps what is desired of it apart from what is, and brings the second to the first.
 * What a sight means is decided in `domain/job-health.ts`, what to do next in `domain/job-machine.ts`; this workflow does it.
 */
import {
  allHandlersFinished,
  condition,
  defineQuery,
  defineSignal,
  makeContinueAsNewFunc,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { nextAction } from '../domain/job-machine.ts';
import { type JobState, jobMessages } from '../schemas/job.ts';
import { actionsOn } from './flink-job/actions.ts';
import { alertIfNeeded } from './flink-job/alerts.ts';
import { takeCommands } from './flink-job/commands.ts';
import { JobMemory } from './flink-job/memory.ts';

const statusQuery = defineQuery<JobState>(jobMessages.status);
/** A deploy of workers sends it: the flag that tells of a new worker version is refreshed only by a workflow task. */
const versionChangedSignal = defineSignal(jobMessages.versionChanged);

export async function flinkJob(carried: { name: string } & Partial<JobState>): Promise<void> {
  const memory = new JobMemory(carried);
  takeCommands(memory);
  setHandler(statusQuery, () => memory.state);
  setHandler(versionChangedSignal, () => memory.interrupt());
  const actions = actionsOn(memory);

  await memory.recall();
  while (!isTimeToMoveOn(memory.state)) {
    const action = nextAction(memory.state, Date.now());
    if (action !== 'end') await actions[action]();
    await alertIfNeeded(memory);
    await memory.record();
    if (action !== 'end') continue;
    await condition(allHandlersFinished);
    // A command that came in the meantime may want the job back; after this moment the validators refuse any.
    if (nextAction(memory.state, Date.now()) !== 'end') continue;
    memory.enter('stopped');
    return memory.record();
  }
  await condition(allHandlersFinished);
  await makeContinueAsNewFunc<typeof flinkJob>({ initialVersioningBehavior: 'AUTO_UPGRADE' })(memory.state);
}

/** A long history, or a newer worker version: both are answered by continuing as a new run, on the newest version. */
function isTimeToMoveOn({ mostEvents }: JobState): boolean {
  const { continueAsNewSuggested, targetWorkerDeploymentVersionChanged, historyLength } = workflowInfo();
  return continueAsNewSuggested || targetWorkerDeploymentVersionChanged || historyLength > mostEvents;
}
