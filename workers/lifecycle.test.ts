import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { createLifecycle, type Served } from './lifecycle.ts';

interface FakeWorker extends Served {
  finish(): void;
  fail(error: Error): void;
  readonly wasToldToStop: boolean;
}

function fakeWorker(): FakeWorker {
  let state = 'INITIALIZED';
  let toldToStop = false;
  const ended = withResolvers();
  return {
    getState: () => state,
    run() {
      state = 'RUNNING';
      return ended.promise;
    },
    shutdown() {
      if (state !== 'RUNNING') throw new Error(`it does not run, it is ${state}`);
      state = 'STOPPING';
      toldToStop = true;
    },
    finish() {
      state = 'STOPPED';
      ended.resolve();
    },
    fail(error) {
      state = 'FAILED';
      ended.reject(error);
    },
    get wasToldToStop() {
      return toldToStop;
    },
  };
}

function withResolvers(): { promise: Promise<void>; resolve: () => void; reject: (error: Error) => void } {
  let resolve = (): void => undefined;
  let reject = (_: Error): void => undefined;
  const promise = new Promise<void>((...given) => ([resolve, reject] = given));
  return { promise, resolve, reject };
}

function livingProcess(exitMs = 60_000) {
  const exits: number[] = [];
  let nowMs = 0;
  const silent = { info: () => undefined, error: () => undefined };
  const lifecycle = createLifecycle({
    exitMs,
    exit: (code) => void exits.push(code),
    now: () => nowMs,
    logger: silent,
  });
  return { lifecycle, exits, pass: (ms: number) => (nowMs += ms) };
}

describe('the life of a worker process', () => {
  test('it starts, serves, and stops when it is asked; it ends when every worker has finished what it had', async () => {
    const { lifecycle, exits } = livingProcess();
    const workers = [fakeWorker(), fakeWorker()];
    expect(lifecycle.phase()).toBe('starting');
    const served = lifecycle.serve(workers);
    expect(lifecycle.phase()).toBe('serving');
    lifecycle.onSignal('SIGTERM');
    expect(lifecycle.phase()).toBe('stopping');
    expect(workers.map(({ wasToldToStop }) => wasToldToStop)).toEqual([true, true]);
    for (const worker of workers) worker.finish();
    await served;
    expect(exits).toEqual([]);
  });

  test('a signal before it polls ends it at once, for it has nothing to finish', () => {
    const { lifecycle, exits } = livingProcess();
    lifecycle.onSignal('SIGTERM');
    expect(exits).toEqual([0]);
  });

  test('a second signal ends it at once, unless it is the echo of the first', () => {
    const { lifecycle, exits, pass } = livingProcess();
    void lifecycle.serve([fakeWorker()]);
    lifecycle.onSignal('SIGINT');
    pass(900);
    lifecycle.onSignal('SIGINT');
    expect(exits).toEqual([]);
    pass(900);
    lifecycle.onSignal('SIGINT');
    expect(exits).toEqual([1]);
  });

  test('when one task queue fails the others finish what they have, and the failure is told', async () => {
    const { lifecycle } = livingProcess();
    const [failing, other] = [fakeWorker(), fakeWorker()];
    const served = lifecycle.serve([failing, other]);
    failing.fail(new Error('the server refuses it'));
    const outcome = expect(served).rejects.toThrow('the server refuses it');
    await delay(0);
    expect(other.wasToldToStop).toBe(true);
    expect(lifecycle.phase()).toBe('stopping');
    other.finish();
    await outcome;
  });

  test('what hangs does not keep the process beyond its grace time', async () => {
    const { lifecycle, exits } = livingProcess(20);
    void lifecycle.serve([fakeWorker()]);
    lifecycle.onSignal('SIGTERM');
    await delay(60);
    expect(exits).toEqual([1]);
  });
});
