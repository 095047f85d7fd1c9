/** Replaces the stack's TaskManager by a new one, with another JVM if asked: each variant begins with a cold and clean one. */
import { setTimeout as delay } from 'node:timers/promises';
import type { ServiceSpec } from '../../stack/supervisor.ts';
import type { Variant } from '../variants.ts';
import type { BenchStack } from './stack.ts';

const NAME = 'flink-taskmanager';
const POLL_MS = 100;
/** `taskmanager.memory.framework.heap.size`, which is heap too. */
const FRAMEWORK_HEAP_MB = 128;

export interface TaskManagerReplacer {
  replace(jvm: Variant['jvm']): Promise<void>;
}

export function createTaskManagerReplacer({ services, rest }: BenchStack): TaskManagerReplacer {
  const original = services.find(NAME)?.spec;
  if (original === undefined) throw new Error(`The stack has no ${NAME}.`);
  return {
    async replace(jvm = {}) {
      const present = services.find(NAME);
      if (present !== undefined) await services.remove(present);
      // Until the JobManager has noticed, the old one would be taken for the new one.
      while ((await rest.overview()).taskManagers > 0) await delay(POLL_MS);
      await services.add({ ...original, args: argumentsWith(original.args, jvm) });
    },
  };
}

/** The arguments of the native stack's TaskManager with another collector or heap. */
export function argumentsWith(
  args: ServiceSpec['args'],
  { collector, taskHeapMb }: NonNullable<Variant['jvm']>,
): readonly string[] {
  const changed = args.map((argument) => {
    if (collector !== undefined && /^-XX:\+Use\w+GC$/.test(argument)) return `-XX:+Use${collector}GC`;
    if (taskHeapMb !== undefined && argument.startsWith('-Xmx'))
      return `-Xmx${taskHeapMb + FRAMEWORK_HEAP_MB}m`;
    return argument;
  });
  return taskHeapMb === undefined
    ? changed
    : [...changed, `-Dtaskmanager.memory.task.heap.size=${taskHeapMb}m`];
}
