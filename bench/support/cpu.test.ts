import { expect, test } from 'vitest';
import { cpuBetween, parseProcessTimes } from './cpu.ts';

test('the times of a process are read behind its command, which may hold spaces and parentheses', () => {
  const stat = '4242 (a (b) c) S 17 4242 4242 0 -1 4194560 9 8 7 6 100 20 3000 400 20 0 1 0 12345 0 0';
  expect(parseProcessTimes(stat)).toEqual({ parentPid: 17, ownTicks: 120, endedChildrenTicks: 3_400 });
});

test('a process that began in between counts from nothing', () => {
  expect(cpuBetween({ kafka: 2 }, { kafka: 5, consumer: 4 })).toEqual({ kafka: 3, consumer: 4 });
});
