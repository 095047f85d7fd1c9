import type { Client } from '@temporalio/client';
import { expect, test } from 'vitest';
import type { DeployFacts, GateVerdict, VersionFacts } from '../../domain/deploy-steps.ts';
import type { DeployDoors } from './known.ts';
import { drainLines } from './status.ts';

const GOOD = 'aaaaaaaaaaaaaaaa';
const BAD = 'bbbbbbbbbbbbbbbb';

const client = {
  workflow: {
    list: async function* () {
      yield { type: 'flinkJob', workflowId: 'flink-job/a', runId: '1' };
    },
    getHandle: () => ({
      describe: async () => ({
        raw: { pendingActivities: [{ activityType: { name: 'recordJob' }, attempt: 9, lastFailure: {} }] },
      }),
    }),
  },
} as unknown as Client;

function open(watch: GateVerdict | undefined): DeployFacts {
  const version: VersionFacts = {
    ...{ buildId: BAD, hasFiles: true, worker: 'ready', unpolled: [], status: 'draining', openRuns: 1 },
    ...{ lastCurrentMs: 1, ceasedMs: 2, verdicts: watch === undefined ? {} : { watch } },
  };
  return {
    ...{ nowMs: 3, wish: undefined, currentBuild: GOOD, currentSinceMs: 2, versions: [version], watchMs: 1 },
    failures: { failedRuns: 0, failedRunsBefore: 0, stuck: [] },
  };
}

const lines = (watch: GateVerdict | undefined) => {
  const config = { values: { DEPLOY_DRAIN_SECONDS: 1 } } as DeployDoors['config'];
  return drainLines({ client, config }, { facts: open(watch) });
};

const OPEN = `Build ${BAD}: 1 open run (1 flinkJob); its worker stays until they end.`;

test('what hangs on a build that was taken back is named, with the command that ends it', async () => {
  expect(await lines({ passed: false, reason: 'because', judgedAtMs: 2 })).toEqual([
    OPEN,
    '  It hangs: the activity recordJob of flink-job/a has failed 8 times.',
    `  \`npx hourglass workers drain ${BAD} --terminate --force\` ends every run that is open on it; an actor is begun anew by the next command or start.`,
  ]);
});

test('of a build that drains as it should, what is open is told and no more', async () => {
  expect(await lines(undefined)).toEqual([OPEN]);
});
