/** What a process holds in memory, from /proc. */
import { readFileSync } from 'node:fs';

export interface ProcessMemory {
  /** MB that it holds now … */
  readonly nowMb: number;
  /** … and the most it has held since it was started. */
  readonly peakMb: number;
}

export const readMemory = (pid: number): ProcessMemory =>
  parseMemory(readFileSync(`/proc/${pid}/status`, 'utf8'));

/** `/proc/<pid>/status`; see proc_pid_status(5). A field that is missing is not a number. */
export function parseMemory(status: string): ProcessMemory {
  const mbOf = (field: string): number =>
    (Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1_024) / 1_000_000;
  return { nowMb: mbOf('VmRSS'), peakMb: mbOf('VmHWM') };
}
