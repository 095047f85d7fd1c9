import { describe, expect, test } from 'vitest';
import { fakeDeployment } from '../../tests/support/fake-worker-deployment.ts';
import { follow } from './follow.ts';
import type { DeployDoors } from './known.ts';

const OLD = 'aaaaaaaaaaaaaaaa';
const NEW = 'bbbbbbbbbbbbbbbb';
const OTHER = 'cccccccccccccccc';

async function following(faults: Parameters<typeof fakeDeployment>[1] = {}) {
  const world = fakeDeployment([OLD, NEW, OTHER], faults);
  world.wish(OLD);
  await world.settle();
  const deploys = world.supervisor();
  const said: string[] = [];
  const doors = {
    config: { dataDir: '/nowhere', origins: { TEMPORAL_ADDRESS: 'environment' } },
    know: () => deploys.know(),
  } as unknown as DeployDoors;
  const followed = () =>
    follow(doors, {
      ...{ buildId: NEW, untilCurrent: true },
      report: ({ step, status }) => said.push(`${step} ${status}`),
    });
  return { world, deploys, followed, said };
}

describe('a deploy that is followed', () => {
  test('is told step by step, each once, until the build is current', async () => {
    const { world, deploys, followed, said } = await following();
    world.wish(NEW);
    deploys.run();
    const { steps } = await followed();
    await deploys.stop();
    expect(steps.map(({ step }) => step)).toEqual(expect.arrayContaining(['verify', 'start', 'smoke']));
    expect(new Set(steps.map(({ step }) => step)).size).toBe(steps.length);
    for (const { step } of steps) expect(said).toContain(`${step} done`);
    expect(world.currentBuild()).toBe(NEW);
  });

  test('that is refused ends with the gate, its reason and what is current', async () => {
    const { world, followed } = await following({ closedDoors: [NEW] });
    world.wish(NEW);
    await world.settle();
    await expect(followed()).rejects.toThrow(
      `Build ${NEW} is refused by the smoke gate; ${OLD} is current. flink: the JobManager: refused`,
    );
  });

  test('ends when another build is wanted meanwhile', async () => {
    const { world, followed } = await following();
    world.wish(OTHER);
    await expect(followed()).rejects.toThrow(`build ${OTHER} is wanted by now`);
  });
});
