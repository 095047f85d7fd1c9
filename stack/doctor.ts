/** Examines whether a start would work on this machine, and what to do where it would not; changes nothing. */
import type { Config } from '../config/load.ts';
import { readState } from './data-dir.ts';
import type { Check } from './doctor/check.ts';
import { machineChecks } from './doctor/machine.ts';
import { placeChecks } from './doctor/places.ts';
import { programChecks } from './doctor/programs.ts';
import { isAlive } from './process-identity.ts';

export async function examine(config: Config): Promise<readonly Check[]> {
  const state = readState(config.dataDir);
  const isRunning = state !== undefined && (await isAlive(state.supervisor));
  return [
    ...(await programChecks(config)),
    ...(await machineChecks(config, isRunning)),
    ...(await placeChecks(config, isRunning)),
  ];
}
