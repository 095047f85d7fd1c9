import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { identify, isAlive, type ProcessIdentity, signalGroup, terminate } from './process-identity.ts';

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) if (child.pid !== undefined) signalGroup(child.pid, 'SIGKILL');
});

/** A process that leads a group of its own, as the stack's children do. */
function start(script: string): ChildProcess & { pid: number } {
  const child = spawn(process.execPath, ['-e', script], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  children.push(child);
  return child as ChildProcess & { pid: number };
}

async function firstLine(child: ChildProcess): Promise<string> {
  const [chunk] = await once(child.stdout!, 'data');
  return String(chunk).trim();
}

async function identityOf(pid: number): Promise<ProcessIdentity> {
  const identity = await identify(pid);
  expect(identity).toBeDefined();
  return identity!;
}

const STAY = 'setInterval(() => {}, 1000);';
const SAY_AND_STAY = `console.log('up'); ${STAY}`;

describe('the identity of a process', () => {
  test('stays the same as long as the process runs', async () => {
    const { pid } = start(STAY);
    const identity = await identityOf(pid);
    expect(identity.pid).toBe(pid);
    expect(await identify(pid)).toEqual(identity);
    expect(await isAlive(identity)).toBe(true);
  });

  test('is gone when the process has ended', async () => {
    const child = start(STAY);
    const identity = await identityOf(child.pid);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await identify(child.pid)).toBeUndefined();
    expect(await isAlive(identity)).toBe(false);
  });

  test('another process with the same id is another process', async () => {
    const { pid } = start(STAY);
    expect(await isAlive({ pid, startedAt: 'of the one before' })).toBe(false);
  });
});

describe('terminate', () => {
  test('ends the process and what it started', async () => {
    const child = start(
      `console.log(require('child_process').spawn(process.execPath, ['-e', '${STAY}']).pid); ${STAY}`,
    );
    const [parent, grandchild] = [
      await identityOf(child.pid),
      await identityOf(Number(await firstLine(child))),
    ];
    await terminate(parent, 5_000);
    expect(await isAlive(parent)).toBe(false);
    await vi.waitFor(async () => expect(await isAlive(grandchild)).toBe(false));
  });

  test('kills what outlives the grace time', async () => {
    const child = start(`process.on('SIGTERM', () => {}); ${SAY_AND_STAY}`);
    await firstLine(child);
    const identity = await identityOf(child.pid);
    await terminate(identity, 200);
    expect(await isAlive(identity)).toBe(false);
    expect(child.signalCode ?? (await once(child, 'exit'))[1]).toBe('SIGKILL');
  });

  test('leaves alone a process that has only the id of the recorded one', async () => {
    const child = start(SAY_AND_STAY);
    await firstLine(child);
    await terminate({ pid: child.pid, startedAt: 'of the one before' }, 1_000);
    expect(await isAlive(await identityOf(child.pid))).toBe(true);
  });

  test('a signal to a process that is gone is no error', async () => {
    const child = start('');
    await once(child, 'exit');
    expect(() => signalGroup(child.pid, 'SIGTERM')).not.toThrow();
  });
});
