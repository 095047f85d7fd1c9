/** The actor of a Flink job on a real Temporal, over a Flink in memory: everything that may go wrong, at every step of a life. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { flinkId } from '../../domain/identities.ts';
import { type FakeActors, startFakeActors } from '../support/fake-actors.ts';
import {
  FLINK_STEPS,
  type FlinkFault,
  type FlinkStep,
  GENERAL_FAULTS,
} from '../support/fake-flink-faults.ts';
import {
  deploy,
  failedUpgrade,
  illLife,
  referenceLife,
  STAGES,
  type Stage,
  stop,
} from '../support/fake-lives.ts';
import { type OwnStack, startOwnStack } from '../support/own-stack.ts';

vi.setConfig({ maxConcurrency: 30 });

let stack: OwnStack;
let actors: FakeActors;
beforeAll(async () => {
  stack = await startOwnStack();
  actors = await startFakeActors(stack.config);
});
afterAll(async () => {
  await actors?.close();
  await stack?.close();
});

type Case = readonly [fault: FlinkFault, step: FlinkStep, stage: Stage];
const general = (stage: Stage, steps: readonly FlinkStep[]): Case[] =>
  steps.flatMap((step) => GENERAL_FAULTS.map((fault): Case => [fault, step, stage]));

const submission: readonly FlinkStep[] = ['open a session', 'execute', 'describe a job', 'list the jobs'];
const asking: readonly FlinkStep[] = [
  'ask for an unknown savepoint',
  'ask for a pending savepoint',
  'ask for an ended savepoint',
];
/** Only a job that is ill brings the actor to these. */
const ofIllness: readonly FlinkStep[] = ['execution result', 'cancel'];

/** Each step at the stage where it means most, and those of a submission with state to lose once more. */
const ofReferenceLife: readonly Case[] = [
  ...general('deploy', [...submission, 'checkpoints', 'exceptions']),
  ...general('savepoint', ['trigger a savepoint', ...asking]),
  ...general('suspend', ['stop with a savepoint', ...asking]),
  ...general('resume', submission),
  ...general('upgrade', [...submission, 'stop with a savepoint', ...asking, 'checkpoints', 'exceptions']),
  ['restore refused', 'execute', 'upgrade'],
  ['savepoint fails', 'stop with a savepoint', 'upgrade'],
  ['savepoint never ends', 'stop with a savepoint', 'upgrade'],
  ...general('replace', ['dispose']),
  ['restore refused', 'execute', 'resume'],
  ['restore refused', 'execute', 'restart'],
  ['savepoint fails', 'trigger a savepoint', 'savepoint'],
  ['savepoint never ends', 'trigger a savepoint', 'savepoint'],
  ...(['suspend', 'restart', 'stop'] as const).flatMap((stage): Case[] => [
    ['savepoint fails', 'stop with a savepoint', stage],
    ['savepoint never ends', 'stop with a savepoint', stage],
  ]),
];

/** What leads to the stage, and what shows afterwards that nothing is lost. */
const stagesFor: Readonly<Record<Stage, readonly Stage[]>> = {
  deploy: ['deploy', 'suspend', 'resume', 'stop'],
  savepoint: ['deploy', 'savepoint', 'suspend', 'resume', 'stop'],
  suspend: ['deploy', 'suspend', 'resume', 'stop'],
  resume: ['deploy', 'suspend', 'resume', 'stop'],
  upgrade: ['deploy', 'upgrade', 'suspend', 'resume', 'stop'],
  replace: ['deploy', 'savepoint', 'suspend', 'resume', 'replace', 'stop'],
  restart: STAGES,
  stop: STAGES,
};

const named = (life: string, ...what: Case): string => `${life}-${flinkId(what.join()).slice(0, 8)}`;

describe('the faults', () => {
  test('are tried at every step', () => {
    const tried = new Set([...ofReferenceLife.map(([, step]) => step), ...ofIllness]);
    expect(FLINK_STEPS.filter((step) => !tried.has(step))).toEqual([]);
  });
});

describe.concurrent('without a fault', () => {
  test('a life leads from deploy to stop by the shortest way', async () => {
    const job = actors.create('reference');
    await referenceLife(job, () => undefined);
    expect((await job.events()).map(({ event }) => event)).toEqual([
      ...['deploy', 'targetRecorded', 'submitted', 'becameStable'],
      ...['savepoint', 'suspend', 'suspendBegun', 'suspended'],
      ...['resume', 'targetRecorded', 'submitted', 'becameStable', 'savepoint'],
      ...['restart', 'suspendBegun', 'suspended', 'targetRecorded', 'submitted', 'becameStable'],
      ...['stop', 'suspendBegun', 'suspended', 'stopped'],
    ]);
  });
});

describe.concurrent('a life loses nothing and ends as it was commanded', () => {
  test.for(ofReferenceLife)('with "%s" at "%s" during %s', async (fault) => {
    const job = actors.create(named('reference', ...fault));
    const [what, step, at] = fault;
    const arm = (stage: Stage): void => {
      if (stage === at) job.flink.faults.arm(step, what);
    };
    await referenceLife(job, arm, stagesFor[at]);
  });

  test.for(general('deploy', ofIllness))('although its job is ill, with "%s" at "%s"', async (fault) => {
    const job = actors.create(named('ill', ...fault));
    job.flink.faults.arm(fault[1], fault[0]);
    await illLife(job);
  });
});

describe.concurrent('a version that is never confirmed is left for the one before', () => {
  const steps: readonly FlinkStep[] = ['cancel', 'execute', 'list the jobs', 'checkpoints'];
  test.for(general('upgrade', steps))('with "%s" at "%s" during the %s', async (fault) => {
    const policy = { upgradeCheckpoints: 100_000, upgradeWithinMs: 1_500 };
    const job = actors.create(named('never-confirmed', ...fault), { policy });
    await deploy(job);
    job.flink.faults.arm(fault[1], fault[0]);
    await failedUpgrade(job);
    await stop(job);
  });
});
