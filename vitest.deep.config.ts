import { defineConfig } from 'vitest/config';
import { reporting } from './tests/support/reporting.ts';

/** The second part of `npm run test:deep`: kills, soaks and full-size cases, each on a stack of its own. */
export default defineConfig({
  test: {
    name: 'deep',
    pool: 'forks',
    ...reporting(),
    include: ['tests/chaos/**/*.test.ts'],
    // Most of them wait most of the time: two stacks, on ports of their own, share the machine.
    maxWorkers: 2,
    // Lives beside a Flink in memory mostly wait.
    maxConcurrency: 8,
    testTimeout: 600_000,
    hookTimeout: 300_000,
  },
});
