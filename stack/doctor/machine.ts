/** Examines the machine: memory, disk, open files, clock, time zone and locale. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Config, projectRoot } from '../../config/load.ts';
import { systemEnvironment } from '../../config/system.ts';
import { availableMbHere, memoryCheck, memoryNeed } from '../memory.ts';
import { type Check, failed, ok, warning } from './check.ts';

const GIGABYTE = 1_073_741_824;
/** A full cache holds about 550 MB and Maven's own copies as much; a fresh data directory some 300 MB, and it grows. */
const DISK = { least: 1 * GIGABYTE, comfortable: 3 * GIGABYTE } as const;
const OPEN_FILES = 4_096;
const DAY_MS = 86_400_000;

/** @param isRunning whether the stack has its memory already */
export async function machineChecks(config: Config, isRunning: boolean): Promise<readonly Check[]> {
  return [
    isRunning
      ? ok('Memory', 'the stack runs and has its own')
      : memoryCheck(memoryNeed(config), availableMbHere()),
    await diskCheck('Disk for data', config.dataDir),
    await diskCheck('Disk for the cache', config.cacheDir),
    ...openFilesChecks(existsSync('/proc/self/limits') ? readFileSync('/proc/self/limits', 'utf8') : ''),
    clockCheck(Date.now(), statSync(join(projectRoot, 'package.json')).mtimeMs),
    localeCheck(systemEnvironment()),
  ];
}

async function diskCheck(name: string, directory: string): Promise<Check> {
  const { bavail, bsize } = await statfs(existingAncestor(directory));
  return judgeDisk(name, directory, bavail * bsize);
}

export function judgeDisk(name: string, directory: string, bytes: number): Check {
  const found = `${(bytes / GIGABYTE).toFixed(1)} GB free at ${directory}`;
  const variable = name === 'Disk for data' ? 'HOURGLASS_DATA_DIR' : 'HOURGLASS_CACHE_DIR';
  const cure = `Free some, or set ${variable} to a directory on another disk; 3 GB are comfortable.`;
  if (bytes < DISK.least) return failed(name, found, cure);
  return bytes < DISK.comfortable ? warning(name, found, cure) : ok(name, found);
}

const existingAncestor = (path: string): string =>
  existsSync(path) ? path : existingAncestor(dirname(path));

/** @param limits the kernel's table; empty on a system that has none */
export function openFilesChecks(limits: string): readonly Check[] {
  const [, hard = ''] = /^Max open files\s+\S+\s+(\S+)/m.exec(limits) ?? [];
  if (hard === '') return [];
  const name = 'Open files';
  const enough = hard === 'unlimited' || Number(hard) >= OPEN_FILES;
  return [
    enough
      ? ok(name, `at most ${hard}`)
      : warning(
          name,
          `at most ${hard}`,
          `Raise the hard limit to ${OPEN_FILES} or more (ulimit -Hn, as root).`,
        ),
  ];
}

/** A clock that is wrong makes every hour wrong. @param builtMs when the newest file that is surely past was written */
export function clockCheck(nowMs: number, builtMs: number): Check {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const found = `${new Date(nowMs).toISOString().slice(0, 19)}Z, time zone ${zone}`;
  return nowMs < builtMs - DAY_MS
    ? failed(
        'Clock',
        `${found}: the checkout is newer`,
        'Set the clock, for example: sudo timedatectl set-ntp true',
      )
    : ok('Clock', found);
}

/** Hours are UTC whatever the zone is; the locale only decides whether the terminal shows what is drawn. */
export function localeCheck(environment: Readonly<Record<string, string | undefined>>): Check {
  const locale = ['LC_ALL', 'LC_CTYPE', 'LANG'].map((name) => environment[name]).find((value) => value);
  return locale !== undefined && /utf-?8/i.test(locale)
    ? ok('Locale', locale)
    : warning(
        'Locale',
        locale ?? 'none is set',
        'If tables and pictures look odd: export LANG=C.UTF-8. Nothing else depends on it.',
      );
}
