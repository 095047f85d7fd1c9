/** CPU seconds of the processes of a stack, from /proc: user and system time, and for PostgreSQL that of all its backends. */
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { platform } from 'node:os';
import { promisify } from 'node:util';
import { readState } from '../../stack/data-dir.ts';
import { UnsupportedSystemError } from './errors.ts';
import type { BenchStack } from './stack.ts';

/** By the name of the process, as the native stack names it. */
export type CpuSeconds = Readonly<Record<string, number>>;

export interface ProcessTimes {
  readonly parentPid: number;
  /** Clock ticks of the process itself. */
  readonly ownTicks: number;
  /** Clock ticks of its children that have ended, and of theirs. */
  readonly endedChildrenTicks: number;
}

/** A line of `/proc/<pid>/stat`; see proc_pid_stat(5) for its fields. */
export function parseProcessTimes(stat: string): ProcessTimes {
  // The second field is the command in parentheses and may itself hold spaces: count from behind it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const field = (number: number): number => Number(fields[number - 3]);
  return {
    parentPid: field(4),
    ownTicks: field(14) + field(15),
    endedChildrenTicks: field(16) + field(17),
  };
}

/**
 * What every process of the stack has used since it was started. The bench's own connection is left out.
 * @param others further processes by name, such as the hand-written consumer
 */
export async function readCpuSeconds(
  { dataDir, sqlPid }: Pick<BenchStack, 'dataDir' | 'sqlPid'>,
  others: Readonly<Record<string, number>> = {},
): Promise<CpuSeconds> {
  if (platform() !== 'linux') throw new UnsupportedSystemError(platform());
  const ticksPerSecond = await clockTicks();
  const services = (readState(dataDir)?.services ?? []).flatMap(({ name, process }) =>
    process === undefined ? [] : [[name, process.pid] as const],
  );
  const used = [...services, ...Object.entries(others)].map(async ([name, pid]) => {
    const ticks =
      name === 'postgres' ? await ticksOfFamily(pid, sqlPid) : ((await timesOf(pid))?.ownTicks ?? 0);
    return [name, ticks / ticksPerSecond] as const;
  });
  return Object.fromEntries(await Promise.all(used));
}

/** A process that is missing before had used nothing. */
export const cpuBetween = (before: CpuSeconds, after: CpuSeconds): CpuSeconds =>
  Object.fromEntries(Object.entries(after).map(([name, seconds]) => [name, seconds - (before[name] ?? 0)]));

/** A backend's time is its own while it lives and becomes its parent's account of ended children when it ends. */
async function ticksOfFamily(parent: number, leftOut: number): Promise<number> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const all = await Promise.all(pids.map(async (pid) => ({ pid, times: await timesOf(pid) })));
  const children = all.filter(({ pid, times }) => times?.parentPid === parent && pid !== leftOut);
  const own = await timesOf(parent);
  return children.reduce(
    (sum, { times }) => sum + (times?.ownTicks ?? 0),
    (own?.ownTicks ?? 0) + (own?.endedChildrenTicks ?? 0),
  );
}

/** Undefined for a process that has ended. */
async function timesOf(pid: number): Promise<ProcessTimes | undefined> {
  try {
    return parseProcessTimes(await readFile(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return undefined;
  }
}

let ticks: Promise<number> | undefined;

function clockTicks(): Promise<number> {
  ticks ??= promisify(execFile)('getconf', ['CLK_TCK']).then(({ stdout }) => Number(stdout));
  return ticks;
}
