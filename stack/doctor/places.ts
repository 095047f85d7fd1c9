/** Examines the places a start takes: the data directory and the ports. */
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Config } from '../../config/load.ts';
import { sourceFile } from '../data-dir.ts';
import { isFree, type WantedPort } from '../ports.ts';
import { wantedPorts } from '../services.ts';
import { type Check, failed, ok, warning } from './check.ts';

/** @param isRunning whether the stack has its ports already */
export async function placeChecks(config: Config, isRunning: boolean): Promise<readonly Check[]> {
  return [dataDirectoryCheck(config), ...(isRunning ? [runningCheck()] : await portChecks(config))];
}

export function dataDirectoryCheck({ dataDir, values }: Pick<Config, 'dataDir' | 'values'>): Check {
  const name = 'Data directory';
  const wanted = values.WEATHER_SOURCE;
  const marker = sourceFile(dataDir);
  if (!isWritable(dataDir))
    return failed(name, `${dataDir} cannot be written`, 'Set HOURGLASS_DATA_DIR to a directory of yours.');
  const holds = existsSync(marker) ? readFileSync(marker, 'utf8').trim() : undefined;
  if (holds !== undefined && holds !== wanted)
    return failed(
      name,
      `${dataDir} holds weather of the source ${holds}, and WEATHER_SOURCE is ${wanted}`,
      `Set HOURGLASS_DATA_DIR=.stack-${wanted}, or WEATHER_SOURCE=${holds}.`,
    );
  return ok(name, holds === undefined ? `${dataDir}, to be made` : `${dataDir}, source ${holds}`);
}

/** What does not exist yet can be made where its nearest ancestor can be written. */
function isWritable(directory: string): boolean {
  if (!existsSync(directory)) return isWritable(dirname(directory));
  try {
    accessSync(directory, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const runningCheck = (): Check => ok('Ports', 'the stack runs and has its own; see `npx hourglass status`');

async function portChecks(config: Config): Promise<readonly Check[]> {
  const taken: WantedPort[] = [];
  const wanted = wantedPorts(config);
  for (const port of wanted) if (!(await isFree(port.port))) taken.push(port);
  return judgePorts(wanted, taken);
}

export function judgePorts(wanted: readonly WantedPort[], taken: readonly WantedPort[]): readonly Check[] {
  if (taken.length === 0) return [ok('Ports', `free: ${wanted.map(({ port }) => port).join(', ')}`)];
  return taken.map(({ port, service, variable, explicit }) => {
    const found = `${port} for ${service} is in use`;
    return explicit
      ? failed('Ports', found, `Stop what listens there, set another ${variable}, or leave it out.`)
      : warning('Ports', `${found}; the next free one is taken`, `Nothing, or set ${variable}.`);
  });
}
