/** `hourglass start` (what `npm start` runs): brings everything up, stays in the foreground, and stops it in order. */
import { appendFileSync, mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { Command } from 'commander';
import { loadConfig } from '../config/load.ts';
import { reasonOf } from '../domain/errors.ts';
import { weather } from '../pipelines/weather/definition.ts';
import { bringUp, type Flow } from '../stack/bring-up.ts';
import { progressFile, readState } from '../stack/data-dir.ts';
import { createProgress, InterruptedError, type Progress, type ProgressEvent } from '../stack/progress.ts';
import { type RunningServices, startServices } from '../stack/services.ts';
import { outliveTheReader } from './closed-output.ts';
import { createProgressView } from './progress-view.ts';
import { watchRunningHour } from './running-hour.ts';
import { urlLines } from './status.ts';

export function startCommand(): Command {
  return new Command('start')
    .description('Start everything and stay, showing the running hour; Ctrl-C stops everything in order')
    .option('--no-watch', 'do not show the running hour')
    .action(start);
}

async function start(options: { watch: boolean }): Promise<void> {
  outliveTheReader();
  const config = loadConfig({ stackAddresses: false });
  const stop = stopSignal();
  let view = createProgressView();
  const record = recorder(progressFile(config.dataDir));
  const progress = createProgress((event) => {
    view.report(event);
    record(event);
  }, stop);
  let services: RunningServices | undefined;
  let flow: Flow | undefined;
  try {
    services = await startServices(config, progress);
    flow = await bringUp(services, progress);
    await flow.loadFirstHistory(progress);
    services.markReady();
    view.close();
    console.log(urlLines(readState(config.dataDir)?.urls ?? {}).join('\n'));
    // The picture has the figures of weather.
    if (options.watch && config.values.PIPELINES.includes(weather.name)) await watchRunningHour(stop);
    else await new Promise((resolve) => stop.addEventListener('abort', resolve));
    view = createProgressView();
  } catch (error) {
    if (!(error instanceof InterruptedError)) throw error;
  } finally {
    await stopAll(progress.uninterrupted, services, flow);
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
      progress.note('Save', `${reasonOf(error)} The next start goes on from the newest checkpoint.`),
    );
  await services?.stop(progress);
}

/** A start that is refused never touches the record of the one that runs: the file is begun with the first event. */
function recorder(file: string): (event: ProgressEvent) => void {
  let begun = false;
  return (event) => {
    if (!begun) {
      mkdirSync(dirname(file), { recursive: true });
      rmSync(file, { force: true });
      begun = true;
    }
    appendFileSync(file, `${JSON.stringify(event)}\n`);
  };
}

/** A terminal's Ctrl-C reaches us directly and again through npm: what follows within this time is the same request. */
const SAME_REQUEST_MS = 1_000;

/** Fires when the user asks to stop. Who insists with Ctrl-C is told, then obeyed at once: what still runs is killed. */
function stopSignal(): AbortSignal {
  const controller = new AbortController();
  let last = 0;
  let insisted = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    const now = Date.now();
    if (!controller.signal.aborted) {
      console.error('\nStopping in order.');
      controller.abort();
    } else if (signal === 'SIGINT' && now - last > SAME_REQUEST_MS) {
      if (insisted) process.exit(1);
      insisted = true;
      console.error('Stopping in order, so that nothing is lost. Once more ends everything at once.');
    }
    last = now;
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  return controller.signal;
}
