/** The commands of a Flink job's actor: each says what is desired from now on; carrying it out is the loop's. */
import {
  ActivityFailure,
  ApplicationFailure,
  condition,
  currentUpdateInfo,
  defineUpdate,
  proxyActivities,
  setHandler,
} from '@temporalio/workflow';
import type { FlinkActivities } from '../../activities/flink.ts';
import type { SavepointActivities } from '../../activities/savepoints.ts';
import { flinkId } from '../../domain/identities.ts';
import { remember } from '../../domain/job-machine.ts';
import { jobPhases } from '../../domain/job-phases.ts';
import { commandedDeploy, commandedRollback } from '../../domain/job-upgrade.ts';
import {
  ACTOR_ENDING,
  type JobCommandInput,
  type JobCommandName,
  type JobState,
  jobCommandSchemas,
  NOTHING,
} from '../../schemas/job.ts';
import { quick, reasonOfFailure, refusal } from './calls.ts';
import type { JobMemory } from './memory.ts';

const { describeVersion } = proxyActivities<FlinkActivities>(quick);
const { resolveSavepoint } = proxyActivities<SavepointActivities>(quick);

const MOST_REQUESTS = 10;

type Parsed<Name extends JobCommandName> = ReturnType<(typeof jobCommandSchemas)[Name]['parse']>;

export function takeCommands(memory: JobMemory): void {
  const underWay = new Set<string>();

  /** Returns the state once the target is in it. A command that is repeated is answered and not carried out again. */
  const command = <Name extends JobCommandName>(
    name: Name,
    carryOut: (input: Parsed<Name>, commandId: string) => void | Promise<void>,
  ): void => {
    const handle = async (given: JobCommandInput<Name>): Promise<JobState> => {
      const input = jobCommandSchemas[name].parse(given) as Parsed<Name>;
      const commandId = input.commandId ?? currentUpdateInfo()?.id ?? '';
      // Those that wait for the same are woken together: only the first of them may go on.
      do await condition(() => memory.isReady && !underWay.has(commandId));
      while (underWay.has(commandId));
      if (memory.state.commandIds.includes(commandId)) return memory.state;
      underWay.add(commandId);
      try {
        await answer(() => carryOut(input, commandId));
      } finally {
        underWay.delete(commandId);
      }
      memory.change({ commandIds: remember(memory.state.commandIds, commandId) });
      memory.enter(name);
      memory.interrupt();
      return memory.state;
    };
    const validator = (given: unknown): void => validate(memory.state, name, given);
    setHandler(defineUpdate<JobState, [JobCommandInput<Name>]>(name), handle, { validator });
  };

  /** Whoever commands wants it tried now, not after the pause that earlier failures earned. */
  const tryNow = (change: Partial<JobState>): void => {
    memory.change({ ...change, isParked: false, failures: 0 });
    if (memory.state.phase === 'failing' && memory.state.desired === 'running') memory.enter('retried');
  };

  command('deploy', async (input) => {
    const isNamed = input.from !== undefined || input.upgradeMode === 'stateless';
    memory.startsBeingNamed += isNamed ? 1 : 0;
    try {
      await deploy(memory, input, tryNow);
    } finally {
      memory.startsBeingNamed -= isNamed ? 1 : 0;
    }
  });
  command('rollback', async () => {
    const { name } = memory.state;
    const change = commandedRollback(memory.state, Date.now());
    if (change === undefined) throw refusal(`there is no version of ${name} before this one to go back to`);
    const { from = '' } = change.upgrades?.pending ?? {};
    // Retention keeps it, but files can be deleted by hand.
    if (from !== '') await resolveSavepoint({ name, from });
    tryNow({ ...change, desired: memory.state.desired === 'stopped' ? 'running' : memory.state.desired });
  });
  command('suspend', () => memory.change({ desired: 'suspended' }));
  command('resume', ({ acceptStateLoss: acceptsStateLoss }) =>
    tryNow({ desired: 'running', acceptsStateLoss }),
  );
  command('restart', async ({ from = '', acceptStateLoss: acceptsStateLoss }) => {
    const { name } = memory.state;
    const isNamed = from !== '' && from !== NOTHING;
    const path = isNamed ? await resolveSavepoint({ name, from }) : from;
    tryNow({ desired: 'running', restart: { from: path }, acceptsStateLoss });
  });
  command('savepoint', ({ triggerId }, commandId) => {
    const { name } = memory.state;
    requestSavepoint(memory, triggerId ?? flinkId(`${name}/savepoint/${commandId}`));
  });
  command('stop', () => memory.change({ desired: 'stopped' }));
  command('park', () => memory.change({ isParked: true }));
}

async function deploy(
  memory: JobMemory,
  input: Parsed<'deploy'>,
  tryNow: (change: Partial<JobState>) => void,
): Promise<void> {
  const { name } = memory.state;
  const { acceptStateLoss: acceptsStateLoss, version: named, upgradeMode: mode = 'savepoint' } = input;
  const asked = input.parallelism ?? (named === undefined ? memory.state.upgrades.parallelism : 0);
  const { rejected } = memory.state.upgrades;
  const question = { name, version: named, parallelism: asked, rejected };
  const { version, policy, isRejected = false } = await describeVersion(question);
  const snapshot = input.from === undefined ? '' : await resolveSavepoint({ name, from: input.from });
  const desired = memory.state.desired === 'stopped' ? 'running' : memory.state.desired;
  // What was rolled back is not tried again because the system starts; somebody has to deploy it.
  if (input.isStart === true && isRejected) return tryNow({ policy, desired });
  const from = mode === 'stateless' ? NOTHING : snapshot;
  const parallelism = input.parallelism ?? memory.state.upgrades.parallelism;
  const change = commandedDeploy(memory.state, { version, mode, from, parallelism, isRejected });
  if (typeof change === 'string') throw refusal(change);
  tryNow({ desiredVersion: version, policy, desired, acceptsStateLoss, ...change });
}

function requestSavepoint(memory: JobMemory, triggerId: string): void {
  const { name, phase, savepointRequests } = memory.state;
  if (!jobPhases[phase].mayRun)
    throw refusal(`${name} is ${phase}: a savepoint can only be taken of a job that runs`);
  if (savepointRequests.some((each) => each.triggerId === triggerId)) return;
  if (savepointRequests.length >= MOST_REQUESTS)
    throw refusal(`${MOST_REQUESTS} savepoints of ${name} are waiting already`);
  memory.change({ savepointRequests: [...savepointRequests, { triggerId, kind: 'manual' }] });
}

function validate({ name, phase }: JobState, command: JobCommandName, given: unknown): void {
  if (jobPhases[phase].terminal)
    throw ApplicationFailure.nonRetryable(`the actor of ${name} is ending`, ACTOR_ENDING);
  const { error } = jobCommandSchemas[command].safeParse(given);
  if (error === undefined) return;
  const issues = error.issues.map(({ path, message }) => `${path.join('.')} ${message}`.trim());
  throw ApplicationFailure.nonRetryable(
    `the input of ${command} is not valid: ${issues.join('; ')}`,
    'INVALID_INPUT',
  );
}

/** What an activity says no to is the answer to the command. */
async function answer(work: () => void | Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw error instanceof ActivityFailure ? refusal(reasonOfFailure(error)) : error;
  }
}
