/** `hourglass down` (also `npm stop`): asks the supervisor for its orderly end and waits for it. */
import { setTimeout as delay } from 'node:timers/promises';
import { Command } from 'commander';
import { loadConfig } from '../config/load.ts';
import { endLeftovers, readState, recordedProcesses, removeState } from '../stack/data-dir.ts';
import { isAlive } from '../stack/process-identity.ts';

export function downCommand(): Command {
  return new Command('down')
    .description('Stop everything in order, the state of the Flink jobs saved')
    .option('--json', 'print what was done as JSON')
    .action(down);
}

async function down(options: { json?: boolean }): Promise<void> {
  const { dataDir } = loadConfig({ stackAddresses: false });
  const outcome = await stopStack(dataDir);
  console.log(options.json ? JSON.stringify({ outcome }) : SENTENCES[outcome]);
}

const SENTENCES = {
  stopped: 'Everything is stopped; the next start goes on from here.',
  'not running': 'Nothing runs on this data directory.',
  'leftovers ended':
    'The supervisor was gone; the processes it left are ended. The next start goes on from the newest checkpoint.',
} as const;

async function stopStack(dataDir: string): Promise<keyof typeof SENTENCES> {
  const state = readState(dataDir);
  if (state === undefined) return 'not running';
  if (await isAlive(state.supervisor)) {
    process.kill(state.supervisor.pid, 'SIGTERM');
    while (await isAlive(state.supervisor)) await delay(200);
    // An orderly end takes the state with it; where it is still there the supervisor was killed on the way.
    if (readState(dataDir) === undefined) return 'stopped';
  }
  await endLeftovers(recordedProcesses(state));
  removeState(dataDir);
  return 'leftovers ended';
}
