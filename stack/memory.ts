/** How much memory the stack needs, how much there is, and the sentence that says when the two do not fit. */
import { readFileSync } from 'node:fs';
import { freemem } from 'node:os';
import type { Config } from '../config/load.ts';

/** Megabytes at rest, as the whole stack was measured without load; a service of somebody else needs none here. */
const AT_REST_MB = {
  kafka: 400,
  /** JobManager 350, TaskManager 420, SQL Gateway 375. */
  flink: 1_145,
  temporal: 240,
  postgres: 41,
  mock: 120,
  workerAndSupervisor: 315,
} as const;

/** What a start needs beyond that for a while: 2,346 MB instead of 2,261 were seen. */
const PEAK_MB = 85;

export interface MemoryNeed {
  readonly atRestMb: number;
  readonly peakMb: number;
}

export function memoryNeed({ values }: Pick<Config, 'values'>): MemoryNeed {
  const atRestMb =
    AT_REST_MB.workerAndSupervisor +
    (values.KAFKA_BROKERS === undefined ? AT_REST_MB.kafka : 0) +
    (values.FLINK_REST_URL === undefined ? AT_REST_MB.flink : 0) +
    (values.TEMPORAL_ADDRESS === undefined ? AT_REST_MB.temporal : 0) +
    (values.POSTGRES_HOST === undefined ? AT_REST_MB.postgres : 0) +
    (values.WEATHER_SOURCE === 'mock' && values.OPENWEATHERMAP_BASE_URL === undefined ? AT_REST_MB.mock : 0);
  return { atRestMb, peakMb: atRestMb + PEAK_MB };
}

/** @returns undefined when there is enough */
export function memoryWarning({ atRestMb, peakMb }: MemoryNeed, availableMb: number): string | undefined {
  if (availableMb >= peakMb) return undefined;
  const need = `${shown(peakMb)} MB of memory are needed at peak, ${shown(atRestMb)} at rest`;
  return `${need}, and ${shown(availableMb)} MB are available: the system may end a service, which is then started again. Close other programs, or let a service run elsewhere (docs/architecture.md, "Services of your own").`;
}

const shown = (mb: number): string => Math.round(mb).toLocaleString('en-US');

/** Texts of the kernel; undefined where the system has no such file. */
export interface MemoryFiles {
  readonly meminfo: string | undefined;
  /** The limit of the container this runs in, `max` for none. */
  readonly limit: string | undefined;
  readonly usage: string | undefined;
  readonly statistics: string | undefined;
}

/** What programs can have without anything being swapped out: the machine's, or what the container has left of its limit. */
export function availableMb(files: MemoryFiles, otherwiseBytes: number): number {
  const kilobytes = Number(
    /^MemAvailable:\s+(\d+) kB/m.exec(files.meminfo ?? '')?.[1] ?? otherwiseBytes / 1_024,
  );
  const machineMb = kilobytes / 1_024;
  const limit = Number(files.limit);
  if (!(limit > 0)) return machineMb;
  // Files that were read and not used since count as usage, and are given up when memory is wanted.
  const cache = Number(/^inactive_file (\d+)/m.exec(files.statistics ?? '')?.[1] ?? 0);
  return Math.max(0, Math.min(machineMb, (limit - Number(files.usage ?? 0) + cache) / 1_048_576));
}

const GROUP = '/sys/fs/cgroup';

export const availableMbHere = (): number =>
  availableMb(
    {
      meminfo: textOf('/proc/meminfo'),
      limit: textOf(`${GROUP}/memory.max`),
      usage: textOf(`${GROUP}/memory.current`),
      statistics: textOf(`${GROUP}/memory.stat`),
    },
    freemem(),
  );

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    // Another system, or another kind of container: it is told otherwise, or not at all.
    return undefined;
  }
}
