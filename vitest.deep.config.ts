import { defineConfig } from 'vitest/config';
import { reporting } from './tests/support/reporting.ts';

/** `npm run test:deep`: kills, soaks and full-size cases, each on a stack of its own or on the shared one. */
export default defineConfig({
  test: {
    name: 'deep',
    pool: 'forks',
    ...reporting(),
    include: ['tests/chaos/**/*.test.ts'],
    fileParallelism: false,
    testTimeout: 600_000,
    hookTimeout: 300_000,
  },
});
