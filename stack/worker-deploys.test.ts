import { describe, expect, test, vi } from 'vitest';
import { fakeDeployment } from '../tests/support/fake-worker-deployment.ts';
import { InterruptedError } from './progress.ts';

const OLD = 'aaaaaaaaaaaaaaaa';
const NEW = 'bbbbbbbbbbbbbbbb';
const WATCH_MS = 60_000;

/** The old build serves. */
async function served(faults: Parameters<typeof fakeDeployment>[1] = {}) {
  const world = fakeDeployment([OLD, NEW], faults);
  world.wish(OLD);
  await world.settle();
  world.done.length = 0;
  return world;
}

describe('the first build', () => {
  test('is started, becomes current and is not watched: there is nothing to go back to', async () => {
    const world = fakeDeployment([OLD]);
    world.wish(OLD);
    expect(await world.settle()).toEqual(['start', 'make-current', 'rest']);
    expect(world.currentBuild()).toBe(OLD);
  });
});

describe('a deploy', () => {
  test('goes through its steps, and the old worker ends only after the watch, when nothing is open there', async () => {
    const world = await served();
    world.setOpenRuns(OLD, 2);
    world.wish(NEW);
    expect(await world.settle()).toEqual(['verify', 'start', 'smoke', 'make-current', 'watch']);
    expect([...world.workers.keys()]).toEqual([OLD, NEW]);
    world.wait(WATCH_MS);
    expect(await world.settle()).toEqual(['pass-watch', 'rest']);
    expect([...world.workers.keys()]).toEqual([OLD, NEW]);
    world.setOpenRuns(OLD, 0);
    await world.settle();
    expect([...world.workers.keys()]).toEqual([NEW]);
    expect(world.done).toEqual([`start ${NEW}`, `current ${NEW}`, `stop ${OLD}`]);
  });

  test('comes to the same when the supervisor is another at each step', async () => {
    const world = await served();
    world.wish(NEW);
    expect(await world.settle({ killed: true })).toEqual([
      'verify',
      'start',
      'smoke',
      'make-current',
      'watch',
    ]);
    world.wait(WATCH_MS);
    expect(await world.settle({ killed: true })).toEqual(['pass-watch', 'rest']);
    expect(world.done).toEqual([`start ${NEW}`, `current ${NEW}`, `stop ${OLD}`]);
  });

  test.each([
    ['replay', { noReplay: [NEW] }, 'it does not fit'],
    ['start', { noStart: [NEW] }, 'its process ended 3 times'],
    ['smoke', { closedDoors: [NEW] }, 'flink: the JobManager: refused'],
  ])(
    'is refused by the %s gate, the old build serves on, and no worker is left over',
    async (gate, faults, reason) => {
      const world = await served(faults);
      world.wish(NEW);
      expect((await world.settle()).at(-1)).toBe('refused');
      expect(world.told.at(-1)).toMatch(/is refused|has ended/);
      expect(world.told).toContain(`${NEW} is refused by the ${gate} gate: ${reason}`);
      expect(world.currentBuild()).toBe(OLD);
      expect([...world.workers.keys()]).toEqual([OLD]);
    },
  );

  test('of a build whose runs fail is taken back by itself, and may be tried again', async () => {
    const world = await served({ failing: [NEW] });
    world.wish(NEW);
    const steps = ['verify', 'start', 'smoke', 'make-current', 'fail-watch', 'roll-back', 'refused'];
    expect(await world.settle()).toEqual(steps);
    expect(world.currentBuild()).toBe(OLD);
    expect(world.told.join('\n')).toContain(`${NEW} is taken back: 1 runs failed since it is current`);
    world.wish(NEW);
    expect((await world.settle()).slice(0, 2)).toEqual(['verify', 'start']);
  });

  test('of a build that does not poll a queue is refused after two minutes, and a rollback to it goes through', async () => {
    const world = await served({ partly: [NEW] });
    world.wish(NEW);
    const deploys = world.supervisor();
    const steps: string[] = [];
    for (let pass = 0; pass < 8 && steps.at(-1) !== 'refused'; pass += 1) {
      steps.push((await deploys.pass()).kind);
      await new Promise((resolve) => setImmediate(resolve));
      if (steps.at(-1) === 'await-pollers') world.wait(90_000);
    }
    expect(steps).toEqual(['verify', 'start', 'await-pollers', 'await-pollers', 'await-pollers', 'refused']);
    expect(world.told.join('\n')).toContain(
      `${NEW} is refused by the start gate: no worker of it polls source-api, source-history, flink`,
    );
    world.wish(NEW, 'rollback');
    expect(await world.settle()).toEqual(['start', 'make-current', 'rest']);
  });

  test.each(['before', 'after'])(
    'whose gate ends %s the supervisor is stopped is not refused by that, and the next one goes on with it',
    async (when) => {
      let end: (error: Error) => void = () => undefined;
      const faults: Parameters<typeof fakeDeployment>[1] = {};
      const world = await served(faults);
      const pending = { verify: () => new Promise<void>((_, reject) => (end = reject)) };
      Object.assign(faults, pending);
      world.wish(NEW);
      const deploys = world.supervisor();
      const passed = deploys.pass();
      await vi.waitFor(() => expect(world.told.at(-1)).toBe(`replay gate of ${NEW}`));
      if (when === 'before') end(new Error('it ended with code null'));
      await deploys.stop();
      if (when === 'after') end(new Error('it ended with code null'));
      await expect(passed).rejects.toThrow(InterruptedError);
      Object.assign(faults, { verify: undefined });
      expect((await world.settle())[0]).toBe('verify');
    },
  );

  test('is rolled back at once, also when the worker of the old build has ended', async () => {
    const world = await served();
    world.wish(NEW);
    await world.settle();
    world.wait(WATCH_MS);
    await world.settle();
    expect([...world.workers.keys()]).toEqual([NEW]);
    world.wish(OLD, 'rollback');
    expect(await world.settle()).toEqual(['start', 'make-current', 'rest']);
    expect(world.currentBuild()).toBe(OLD);
    expect([...world.workers.keys()]).toEqual([OLD]);
  });
});

describe('runs of a build whose directory is gone', () => {
  test('are told once, with the command that ends them', async () => {
    const builds = [OLD, NEW];
    const world = fakeDeployment(builds);
    world.wish(OLD);
    await world.settle();
    world.setOpenRuns(OLD, 2);
    world.wish(NEW);
    await world.settle();
    builds.shift();
    world.kill(OLD);
    await world.settle();
    const lost = world.told.filter((text) => text.includes('whose directory'));
    expect(lost).toEqual([
      `2 open runs wait for build ${OLD}, whose directory is gone: \`npx hourglass workers drain ${OLD} --terminate\` ends them.`,
    ]);
  });
});
