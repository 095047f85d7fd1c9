import { defineConfig } from 'vitest/config';
import { reporting } from './tests/support/reporting.ts';
import { timeZone } from './tests/support/time-zone.ts';

/** The first part of `npm run test:deep`: integration tests that would make `npm test` too long, on one real stack. */
export default defineConfig({
  test: {
    name: 'slow',
    pool: 'forks',
    ...reporting('slow'),
    include: ['tests/slow/**/*.test.ts'],
    globalSetup: 'tests/support/global-setup.ts',
    env: { TZ: timeZone },
    fileParallelism: false,
    testTimeout: 240_000,
    hookTimeout: 240_000,
  },
});
