/** How much memory the stack needs, how much there is, and the sentences that say when the two do not fit. */
import { readFileSync } from 'node:fs';
import { freemem } from 'node:os';
import type { Config } from '../config/load.ts';
import { pipelines } from '../pipelines/index.ts';
import { type Check, ok, warning } from './doctor/check.ts';
import { mostOfTaskManagerMb } from './flink.ts';

/** Megabytes at rest, as the whole stack was measured with one pipeline and without load; a service of somebody else needs none here. */
const AT_REST_MB = {
  kafka: 400,
  jobManagerAndGateway: 725,
  taskManager: 420,
  temporal: 240,
  postgres: 41,
  mock: 120,
  workerAndSupervisor: 315,
} as const;

/** What a start needs beyond that for a while: 2,346 MB instead of 2,261 were seen. */
const START_MB = 85;

/** What a worker took beyond its rest while it loaded a file of a million records: bench/results.md, "Backfill from a file". */
const WORKER_UNDER_LOAD_MB = 415 - 199;

export interface MemoryNeed {
  readonly atRestMb: number;
  /** At most while it starts. */
  readonly startMb: number;
  /** The same with each TaskManager as full as its settings let it be, and a worker as in the benchmark; no measurement of the whole. */
  readonly underLoadMb: number;
}

export function memoryNeed({ values }: Pick<Config, 'values'>): MemoryNeed {
  const taskManagers = values.FLINK_REST_URL === undefined ? values.FLINK_TASK_MANAGERS : 0;
  const atRestMb =
    AT_REST_MB.workerAndSupervisor +
    (values.KAFKA_BROKERS === undefined ? AT_REST_MB.kafka : 0) +
    (values.FLINK_REST_URL === undefined ? AT_REST_MB.jobManagerAndGateway : 0) +
    taskManagers * AT_REST_MB.taskManager +
    (values.TEMPORAL_ADDRESS === undefined ? AT_REST_MB.temporal : 0) +
    (values.POSTGRES_HOST === undefined ? AT_REST_MB.postgres : 0) +
    (values.WEATHER_SOURCE === 'mock' && values.OPENWEATHERMAP_BASE_URL === undefined ? AT_REST_MB.mock : 0);
  // A name that there is not is refused by the start.
  const run = Object.values(pipelines).filter(({ name }) => values.PIPELINES.includes(name));
  const growthMb = mostOfTaskManagerMb(run) - AT_REST_MB.taskManager;
  return {
    atRestMb,
    startMb: atRestMb + START_MB,
    underLoadMb: atRestMb + taskManagers * growthMb + WORKER_UNDER_LOAD_MB,
  };
}

const CURE =
  'Close other programs, or let a service run elsewhere (docs/architecture.md, "Services of your own").';

/** What a start says. @returns undefined when there is enough for it */
export function memoryWarning({ atRestMb, startMb }: MemoryNeed, availableMb: number): string | undefined {
  if (availableMb >= startMb) return undefined;
  const need = `${shown(startMb)} MB of memory are needed by a start, ${shown(atRestMb)} at rest`;
  return `${need}, and ${shown(availableMb)} MB are available: the system may end a service, which is then started again. ${CURE}`;
}

/** What the doctor says: also whether there is enough for load. */
export function memoryCheck({ startMb, underLoadMb }: MemoryNeed, availableMb: number): Check {
  const found = `${shown(availableMb)} MB available; a start needs ${shown(startMb)}, load up to ${shown(underLoadMb)}`;
  return availableMb < underLoadMb ? warning('Memory', found, CURE) : ok('Memory', found);
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
