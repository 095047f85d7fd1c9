/** Tells whether a recorded process is still that process: a pid alone is reused, a pid with its start time is not. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { platform } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { systemEnvironment } from '../config/system.ts';

export interface ProcessIdentity {
  readonly pid: number;
  /** Opaque: the kernel's start time of the process in whatever form the system gives it. */
  readonly startedAt: string;
}

/** @returns undefined when no such process runs (one that is dead but not yet reaped counts as not running) */
export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  const startedAt = platform() === 'linux' ? await startTimeFromProc(pid) : await startTimeFromPs(pid);
  return startedAt === undefined ? undefined : { pid, startedAt };
}

export async function isAlive(identity: ProcessIdentity): Promise<boolean> {
  return (await identify(identity.pid))?.startedAt === identity.startedAt;
}

/** Sends SIGTERM to the process's whole group, then SIGKILL when it outlives the grace time. */
export async function terminate(identity: ProcessIdentity, graceMs: number): Promise<void> {
  if (!(await isAlive(identity))) return;
  signalGroup(identity.pid, 'SIGTERM');
  const deadline = Date.now() + graceMs;
  while (Date.now() < deadline) {
    if (!(await isAlive(identity))) return;
    await delay(100);
  }
  signalGroup(identity.pid, 'SIGKILL');
  while (await isAlive(identity)) await delay(50);
}

/** Every child of the stack leads a process group of its own, so that a Ctrl-C reaches the supervisor alone. */
export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  for (const target of [-pid, pid]) {
    try {
      process.kill(target, signal);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

async function startTimeFromProc(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The second field is the command in parentheses and may itself hold spaces: count from behind it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

async function startTimeFromPs(pid: number): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)('ps', ['-o', 'lstart=,stat=', '-p', String(pid)], {
      // The same instant is written differently in another language or time zone.
      env: { ...systemEnvironment(), LC_ALL: 'C', TZ: 'UTC' },
    });
    const line = stdout.trim();
    return line === '' || line.endsWith('Z') ? undefined : line.split(/\s+/).slice(0, 5).join(' ');
  } catch {
    return undefined;
  }
}
