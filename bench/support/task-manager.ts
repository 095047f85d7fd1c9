/** Replaces the stack's TaskManager by a new one, with another JVM if asked; whoever measures warms it up. */
import { setTimeout as delay } from 'node:timers/promises';
import type { ServiceSpec } from '../../stack/supervisor.ts';
import type { Variant } from '../variants.ts';
import type { BenchStack } from './stack.ts';

const NAME = 'flink-taskmanager';
const POLL_MS = 100;
/** `taskmanager.memory.framework.heap.size`, which is heap too. */
const FRAMEWORK_HEAP_MB = 128;

/** So many jobs leave classes behind, and would fill the JVM's metaspace in the end. */
const MOST_RUNS = 8;

export interface TaskManagerReplacer {
  /** @returns whether the next run finds a new and cold one: another JVM is asked for, or the present one has had its runs */
  prepare(jvm: Variant['jvm']): Promise<boolean>;
}

export function createTaskManagerReplacer({ services, rest }: BenchStack): TaskManagerReplacer {
  const original = services.find(NAME)?.spec;
  if (original === undefined) throw new Error(`The stack has no ${NAME}.`);
  let presentArgs = original.args;
  // The stack's own is cold as well.
  let runs = MOST_RUNS;
  return {
    async prepare(jvm = {}) {
      const args = argumentsWith(original.args, jvm);
      runs += 1;
      if (runs <= MOST_RUNS && args.join() === presentArgs.join()) return false;
      const present = services.find(NAME);
      if (present !== undefined) await services.remove(present);
      // Until the JobManager has noticed, the old one would be taken for the new one.
      while ((await rest.overview()).taskManagers > 0) await delay(POLL_MS);
      await services.add({ ...original, args });
      presentArgs = args;
      runs = 0;
      return true;
    },
  };
}

/** The arguments of the native stack's TaskManager with another collector or heap. */
export function argumentsWith(
  args: ServiceSpec['args'],
  { collector, taskHeapMb, youngMb }: NonNullable<Variant['jvm']>,
): readonly string[] {
  const changed = args.map((argument) => {
    if (collector !== undefined && /^-XX:\+Use\w+GC$/.test(argument)) return `-XX:+Use${collector}GC`;
    if (youngMb !== undefined && argument.startsWith('-Xmn')) return `-Xmn${youngMb}m`;
    if (taskHeapMb !== undefined && argument.startsWith('-Xmx'))
      return `-Xmx${taskHeapMb + FRAMEWORK_HEAP_MB}m`;
    return argument;
  });
  return taskHeapMb === undefined
    ? changed
    : [...changed, `-Dtaskmanager.memory.task.heap.size=${taskHeapMb}m`];
}
