import { expect, test } from 'vitest';
import { parseMemory, readMemory } from './memory.ts';

test('what a process holds now and its peak are read in MB', () => {
  const status =
    'Name:\tnode\nVmPeak:\t 9999999 kB\nVmHWM:\t  250000 kB\nVmRSS:\t  125000 kB\nThreads:\t11\n';
  expect(parseMemory(status)).toEqual({ nowMb: 128, peakMb: 256 });
  const { nowMb, peakMb } = readMemory(process.pid);
  expect(nowMb).toBeGreaterThan(10);
  expect(peakMb).toBeGreaterThanOrEqual(nowMb);
});
