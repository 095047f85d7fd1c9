/** Starts one real stack for the whole run, on free ports and a data directory of its own, and stops it afterwards. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { loadConfig } from '../../config/load.ts';
import { bringUp } from '../../stack/bring-up.ts';
import { createProgress, type ProgressEvent } from '../../stack/progress.ts';
import { startServices } from '../../stack/services.ts';
import { freePorts } from './free-ports.ts';
import { timeZone } from './time-zone.ts';

/** Everything a test needs to find the stack; all of it can be copied from process to process. */
export interface SharedStack {
  readonly dataDir: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly superuserPassword: string;
}

declare module 'vitest' {
  export interface ProvidedContext {
    stack: SharedStack;
  }
}

/** Short enough that each poll of each minute brings something new. */
const MOCK_STEP_SECONDS = '20';

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  // Every service inherits it, as it inherits a user's; also when it is started again in the middle of the run.
  process.env['TZ'] = timeZone;
  const dataDir = mkdtempSync(join(tmpdir(), 'hourglass-test-'));
  // PostgreSQL's own user must be able to pass.
  chmodSync(dataDir, 0o755);
  const own = {
    ...(await freePorts()),
    HOURGLASS_DATA_DIR: dataDir,
    WEATHER_SOURCE: 'mock',
    MOCK_STEP_SECONDS,
    // What is upgraded here need not show for a minute that it works.
    JOB_UPGRADE_LEAST_SECONDS: '3',
    // What a test breaks must stay broken until it looks.
    COMPLETENESS_REPAIR: 'false',
    OPENWEATHERMAP_API_KEY: 'key-that-must-stay-secret',
    // Nothing is ever sent to this port.
    ALERT_WEBHOOK_URL: 'http://127.0.0.1:1/webhook-that-must-stay-secret',
  };
  const inherited = Object.fromEntries(
    ['HOURGLASS_CACHE_DIR', 'XDG_CACHE_HOME'].flatMap((name) =>
      process.env[name] ? [[name, process.env[name]]] : [],
    ),
  );
  const config = loadConfig({
    environment: { ...inherited, ...own },
    envFile: join(dataDir, 'no.env'),
    stackAddresses: false,
  });
  const progress = createProgress(report);
  const services = await startServices(config, progress);
  try {
    const flow = await bringUp(services, progress);
    services.markReady();
    const { secrets } = services.context;
    project.provide('stack', {
      dataDir,
      environment: {
        ...inherited,
        ...own,
        ...services.addresses,
        POSTGRES_PASSWORD: secrets.POSTGRES_PASSWORD,
        POSTGRES_PIPELINE_PASSWORD: secrets.POSTGRES_PIPELINE_PASSWORD,
        POSTGRES_READER_PASSWORD: secrets.POSTGRES_READER_PASSWORD,
      },
      superuserPassword: secrets.POSTGRES_SUPERUSER_PASSWORD,
    });
    return async () => {
      await flow.park(progress);
      await services.stop(progress);
      rmSync(dataDir, { recursive: true, force: true });
    };
  } catch (error) {
    await services.stop(progress);
    throw error;
  }
}

function report({ step, status, text }: ProgressEvent): void {
  if (status !== 'running') process.stderr.write(`  stack: ${step}: ${status}, ${text}\n`);
}
