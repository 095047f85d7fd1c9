import { describe, expect, test } from 'vitest';
import { fakeDeployment } from '../tests/support/fake-worker-deployment.ts';

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
