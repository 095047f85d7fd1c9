import { defineConfig } from 'vitest/config';
import { reporting } from './tests/support/reporting.ts';
import { timeZone } from './tests/support/time-zone.ts';

/** `npm test`: unit tests beside their files, then integration tests on one real stack that is started for the run. */
export default defineConfig({
  test: {
    pool: 'forks',
    ...reporting(),
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['**/*.test.ts'],
          exclude: [
            'node_modules/**',
            '.stack*/**',
            'tests/integration/**',
            'tests/chaos/**',
            'tests/slow/**',
            'tests/browser/**',
          ],
          testTimeout: 30_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['tests/integration/**/*.test.ts'],
          globalSetup: 'tests/support/global-setup.ts',
          env: { TZ: timeZone },
          fileParallelism: false,
          testTimeout: 240_000,
          hookTimeout: 240_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
