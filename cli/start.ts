/** `hourglass start` (what `npm start` runs): brings everything up, stays in the foreground, and stops it in order. */
import { appendFileSync, rmSync } from 'node:fs';
import { Command } from 'commander';
import { loadConfig } from '../config/load.ts';
import { bringUp, type Flow } from '../stack/bring-up.ts';
import { progressFile } from '../stack/data-dir.ts';
import { createProgress, type Progress } from '../stack/progress.ts';
import { type RunningServices, startServices } from '../stack/services.ts';
import { createProgressView } from './progress-view.ts';
import { watchRunningHour } from './running-hour.ts';
import { urlLines } from './status.ts';

export function startCommand(): Command {
  return new Command('start')
    .description('Start everything and stay, showing the running hour; Ctrl-C stops everything in order')
    .option('--no-watch', 'do not show the running hour')
    .action(start);
}

/** A terminal's Ctrl-C reaches us directly and again through npm: what follows within this time is the same request. */
const SAME_REQUEST_MS = 1_000;

async function start(options: { watch: boolean }): Promise<void> {
  const config = loadConfig({ stackAddresses: false });
  const view = createProgressView();
  const file = progressFile(config.dataDir);
  let fresh = true;
  const progress = createProgress((event) => {
    view.report(event);
    if (fresh) rmSync(file, { force: true });
    fresh = false;
    appendFileSync(file, `${JSON.stringify(event)}\n`);
  });
  const stop = stopRequest();
  let services: RunningServices | undefined;
  let flow: Flow | undefined;
  try {
    services = await startServices(config, progress);
    stop.onImpatience(() => services?.kill());
    if (!stop.requested()) flow = await bringUp(services, progress);
    if (!stop.requested()) {
      services.markReady();
      view.close();
      console.log(urlLines(config.dataDir).join('\n'));
      if (options.watch) await watchRunningHour(stop.signal);
      else await stop.asked;
    }
  } finally {
    await stopAll(progress, services, flow);
    view.close();
  }
}

async function stopAll(
  progress: Progress,
  services: RunningServices | undefined,
  flow: Flow | undefined,
): Promise<void> {
  await flow
    ?.park(progress)
    .catch((error) =>
      progress.note(
        'Save',
        `the jobs could not be parked (${error.message}); the next start goes on from their newest checkpoint`,
      ),
    );
  await services?.stop(progress);
}

interface StopRequest {
  readonly signal: AbortSignal;
  readonly asked: Promise<void>;
  requested(): boolean;
  /** What to do when the user, told that it stops in order, asks once more. */
  onImpatience(action: () => void): void;
}

function stopRequest(): StopRequest {
  const controller = new AbortController();
  let first = 0;
  let repeats = 0;
  let impatient: () => void = () => undefined;
  const asked = new Promise<void>((resolve) => controller.signal.addEventListener('abort', () => resolve()));
  const onSignal = (): void => {
    const now = Date.now();
    if (first === 0) {
      first = now;
      controller.abort();
    } else if (now - first > SAME_REQUEST_MS) {
      repeats += 1;
      if (repeats === 1)
        console.error('Stopping in order, so that nothing is lost. Once more ends everything at once.');
      else {
        impatient();
        process.exit(1);
      }
    }
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  return {
    signal: controller.signal,
    asked,
    requested: () => controller.signal.aborted,
    onImpatience(action) {
      impatient = action;
    },
  };
}
