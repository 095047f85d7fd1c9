import { expect, test } from 'vitest';
import { argumentsWith } from './task-manager.ts';

const args = ['-Xmx1152m', '-XX:+UseParallelGC', '-XX:+ExitOnOutOfMemoryError', 'Main', '-c', 'conf'];

test('the collector is another one, the rest stays', () => {
  expect(argumentsWith(args, { collector: 'G1' })).toEqual([
    '-Xmx1152m',
    '-XX:+UseG1GC',
    '-XX:+ExitOnOutOfMemoryError',
    'Main',
    '-c',
    'conf',
  ]);
});

test('the heap is told to the JVM, framework included, and to Flink', () => {
  const changed = argumentsWith(args, { taskHeapMb: 600 });
  expect(changed[0]).toBe('-Xmx728m');
  expect(changed.at(-1)).toBe('-Dtaskmanager.memory.task.heap.size=600m');
});

test('without a change they are the same', () => {
  expect(argumentsWith(args, {})).toEqual(args);
});
