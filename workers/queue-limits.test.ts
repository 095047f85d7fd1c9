import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../config/load.ts';
import { taskQueues } from '../domain/task-queues.ts';
import { graceOf, limitsOf, type Role, rolesNamed } from './queue-limits.ts';

const ROLES = Object.keys(taskQueues) as Role[];
const configOf = (environment: Record<string, string>) => loadConfig({ environment, envFile: '/none' });
const rolesOf = (text: string) => rolesNamed(configOf({ WORKER_ROLES: text }).values.WORKER_ROLES);

describe('the roles of a worker', () => {
  test('all unless told, some of them by the names of their task queues', () => {
    expect(rolesNamed(configOf({}).values.WORKER_ROLES)).toEqual(ROLES);
    expect(rolesOf('all')).toEqual(ROLES);
    expect(rolesOf('flink,source-api,flink')).toEqual(['sourceApi', 'flink']);
  });

  test('one that there is not is refused, with those that there are', () => {
    expect(() => rolesOf('control,wind')).toThrow(
      'WORKER_ROLES is "control,wind": expected all, or some of control, source-api, source-history, flink, comma-separated',
    );
  });
});

describe('the grace of a stopping worker', () => {
  test('an activity is cancelled before the workers are given up, and they before the process ends', () => {
    fc.assert(
      fc.property(fc.constantFrom(...ROLES), fc.integer({ min: 1, max: 3_600 }), (role, seconds) => {
        const { cancelMs, forceMs, exitMs } = graceOf(role, seconds);
        expect(cancelMs).toBeGreaterThan(0);
        expect(forceMs).toBeGreaterThan(cancelMs);
        expect(exitMs).toBeGreaterThan(forceMs);
        expect(exitMs).toBe(seconds * 1_000);
      }),
    );
  });

  test('polls of the present have the most of it; who waits for others hears of it soon', () => {
    expect(graceOf('sourceApi', 20)).toEqual({ cancelMs: 12_000, forceMs: 18_000, exitMs: 20_000 });
    for (const role of ['control', 'sourceHistory', 'flink'] as const)
      expect(graceOf(role, 20).cancelMs).toBe(2_000);
  });
});

describe('the limits of a task queue', () => {
  test('no queue runs more activities at once than allowed, and no more chunks than their records fit into memory', () => {
    const most = (role: Role, text: string) =>
      limitsOf(role, configOf({ WORKER_MAX_ACTIVITIES: text })).maxConcurrentActivityTaskExecutions;
    expect(ROLES.map((role) => most(role, '100'))).toEqual([100, 100, 40, 100]);
    expect(ROLES.map((role) => most(role, '7'))).toEqual([7, 7, 7, 7]);
  });

  test('only what runs workflows keeps some in memory', () => {
    const cached = (role: Role) =>
      limitsOf(role, configOf({ WORKER_MAX_CACHED_WORKFLOWS: '33' })).maxCachedWorkflows;
    expect(ROLES.map(cached)).toEqual([33, undefined, undefined, undefined]);
  });
});
