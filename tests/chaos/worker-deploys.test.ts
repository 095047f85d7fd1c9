/** Deploys of builds that change workflows, while ingestion, a backfill and the actor of the job are under way. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeWorkerDeployment } from '../../clients/worker-deployments.ts';
import { HOUR_MS } from '../../domain/backfill-windows.ts';
import { ingestScheduleId, jobActorId } from '../../domain/identities.ts';
import { type Mock, startMock } from '../../mock/server.ts';
import { defaultStepSeconds } from '../../mock/weather.ts';
import { weather } from '../../pipelines/weather/definition.ts';
import { differencesFrom, historyOfTruth, runBackfill } from '../support/backfills.ts';
import { type Checkout, makeCheckout } from '../support/checkout.ts';
import { eventually } from '../support/eventually.ts';
import { liveRecords, pauseIngestion, runsOf, untilStored } from '../support/ingestion.ts';
import { manyCities, seedCities, watchEachMinute } from '../support/many-cities.ts';
import { type OwnStack, startOwnStack } from '../support/own-stack.ts';

const SEED = 'worker deploys';
const CITIES = manyCities(120);
const ALL = [...seedCities(), ...CITIES];
/** So long that a command which was killed before is there again to meet it. */
const WATCH_SECONDS = 15;
/** Hours that the workflows own, so that chunks go through a batch job. */
const to = new Date(Math.floor(Date.now() / HOUR_MS) * HOUR_MS - 72 * HOUR_MS);
const from = new Date(to.getTime() - 20 * 24 * HOUR_MS);
const past = historyOfTruth(SEED, CITIES, from, to);

let mock: Mock;
let stack: OwnStack;
let checkout: Checkout;
let firstBuild: string;
let secondBuild: string;
let backfill: ReturnType<typeof runBackfill>;

beforeAll(async () => {
  mock = await startMock({
    ...{ port: 0, seed: SEED, stepSeconds: defaultStepSeconds, cities: ALL, callsPerMinute: 30_000 },
  });
  stack = await startOwnStack({
    OPENWEATHERMAP_BASE_URL: mock.url,
    // 150 calls in a minute, of 360: it lasts through the deploy, the rollback and the next deploy.
    BACKFILL_CALL_SHARE: '0.05',
    FIRST_START_HISTORY_HOURS: '0',
    COMPLETENESS_REPAIR: 'false',
    DEPLOY_WATCH_SECONDS: String(WATCH_SECONDS),
  });
  checkout = makeCheckout({
    HOURGLASS_DATA_DIR: stack.config.dataDir,
    DEPLOY_WATCH_SECONDS: String(WATCH_SECONDS),
  });
  await watchEachMinute(stack, CITIES);
  await stack.sql(`update locations set active_from = '2020-01-01', min_observations_per_hour = 1`);
  // A run of ingestion lasts for most of its minute.
  mock.replaceFaults({ latency: { share: 1, ms: 500 } });
  firstBuild = await currentBuild();
});
afterAll(async () => {
  await stack?.close();
  await mock?.close();
  checkout?.remove();
});

const currentBuild = () =>
  stack.withTemporal(async (client) => (await describeWorkerDeployment(client)).currentBuild ?? '');
const count = (query: string) =>
  stack.withTemporal(async (client) => (await client.workflow.count(query)).count);
const actorBuild = () =>
  stack.withTemporal(async (client) => {
    const { raw } = await client.workflow.getHandle(jobActorId(weather.job.name)).describe();
    return raw.workflowExecutionInfo?.versioningInfo?.deploymentVersion?.buildId ?? '';
  });
const workers = () =>
  stack
    .services()
    .filter(({ name }) => name.startsWith('worker-'))
    .map(({ name }) => name.slice('worker-'.length));
const isFailed =
  "(ExecutionStatus = 'Failed' OR ExecutionStatus = 'Terminated' OR ExecutionStatus = 'TimedOut')";

interface Deployed {
  readonly buildId: string;
  readonly outcome: string;
  readonly steps: readonly { step: string; seconds: number }[];
  readonly notes: readonly string[];
}

const print = (what: string, { steps }: Deployed): void =>
  console.log(`${what}: ${steps.map(({ step, seconds }) => `${step} ${seconds.toFixed(1)} s`).join(', ')}`);

/** A workflow that began on the other build does not replay on this one. */
function changeWorkflows(): void {
  const file = 'workflows/ingest-weather.ts';
  checkout.change(file, "} from '@temporalio/workflow'", ", sleep } from '@temporalio/workflow'");
  checkout.change(file, /^( *)(.*await pollShard\()/m, '$1await sleep(10);\n$1$2');
}

describe('a second build that changes a workflow', () => {
  test('is deployed while ingestion, a backfill and the actor are under way', async () => {
    const range = { from: from.toISOString(), to: to.toISOString() };
    const entities = CITIES.map(({ id }) => id);
    backfill = runBackfill(stack, 'backfills/deploys', {
      ...{ pipeline: 'weather', ...range, entities, maxConcurrency: 1 },
    });
    backfill.catch(() => undefined);
    await eventually(
      'a run of ingestion and a chunk are under way',
      () =>
        Promise.all(
          ['ingestWeather', 'backfillChunk'].map((type) =>
            count(`WorkflowType = '${type}' AND ExecutionStatus = 'Running'`),
          ),
        ),
      (open) => open.every((each) => each > 0),
      { withinMs: 120_000 },
    );
    changeWorkflows();
    const { code, stdout, stderr } = await checkout.hourglass('workers', 'deploy', '--json');
    expect([code, code === 0 ? '' : stderr]).toEqual([0, '']);
    const deployed = JSON.parse(stdout) as Deployed;
    print('first deploy', deployed);
    secondBuild = deployed.buildId;
    expect(deployed.outcome).toBe('deployed');
    expect(secondBuild).not.toBe(firstBuild);
    expect(await currentBuild()).toBe(secondBuild);
    const notes = deployed.notes.join('\n');
    expect(notes).toMatch(new RegExp(`open runs? stays? on build ${firstBuild}: \\d+`));
    expect(notes).toMatch(
      /ingestWeather \(history ingestWeather\.completed\), event \d+: the history says \w+, the code produced "Timer"/,
    );
    await eventually('the actor has moved', actorBuild, (build) => build === secondBuild);
  });

  test('an actor that its histories do not fit is refused, and nothing has changed', async () => {
    checkout.change('workflows/flink-job.ts', '  setHandler,\n', '  setHandler,\n  sleep,\n');
    checkout.change(
      'workflows/flink-job.ts',
      '  await memory.recall();',
      '  await sleep(10);\n  await memory.recall();',
    );
    const { code, stderr } = await checkout.hourglass('workers', 'deploy');
    expect(code).toBe(1);
    expect(stderr).toMatch(/is refused by the replay gate; \w+ is current/);
    expect(stderr).toMatch(
      /flinkJob \(history flinkJob\.\S+\), event \d+: the history says \w+, the code produced "Timer"/,
    );
    expect(stderr).not.toContain('    at ');
    expect(await currentBuild()).toBe(secondBuild);
    checkout.restore();
    changeWorkflows();
  });

  test('after that refusal a rollback changes nothing, and names the build that it would go further back to', async () => {
    const { code, stdout } = await checkout.hourglass('workers', 'rollback');
    expect(code).toBe(0);
    expect(stdout).toMatch(
      new RegExp(
        `Build ${secondBuild} is current: build \\w+ was refused, .*\`npx hourglass workers rollback ${firstBuild}\``,
      ),
    );
    expect(await currentBuild()).toBe(secondBuild);
  });

  test('is rolled back by one command at once, and the actor goes back with it', async () => {
    const startedAt = Date.now();
    const { code, stdout, stderr } = await checkout.hourglass('workers', 'rollback', firstBuild);
    console.log(`rollback: ${((Date.now() - startedAt) / 1_000).toFixed(1)} s`);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain(`Build ${firstBuild} is current again`);
    expect(await currentBuild()).toBe(firstBuild);
    await eventually('the actor has gone back', actorBuild, (build) => build === firstBuild);
  });

  test('is deployed again, by a command that is killed at each step and resumed', async () => {
    const killedAt: string[] = [];
    for (;;) {
      const command = checkout.spawn('workers', 'deploy', '--json');
      let output = '';
      let said = '';
      command.stdout?.on('data', (text) => (output += text));
      command.stderr?.on('data', (text) => {
        said += text;
        const step = [...said.matchAll(/^([a-z-]+) …$/gm)].map(([, name = '']) => name).at(-1);
        if (step === undefined || killedAt.includes(step) || command.killed) return;
        killedAt.push(step);
        command.kill('SIGKILL');
      });
      const [code] = await once(command, 'close');
      if (command.killed) continue;
      expect([code, code === 0 ? '' : said]).toEqual([0, '']);
      expect(JSON.parse(output)).toMatchObject({ buildId: secondBuild });
      break;
    }
    console.log(`killed at: ${killedAt.join(', ')}`);
    expect(killedAt).toEqual(expect.arrayContaining(['verify', 'watch']));
    // Those between take less time than a command needs to begin: which of them are met is chance, that one is met is not.
    const between = ['start', 'await-pollers', 'smoke', 'make-current'];
    expect(killedAt.filter((step) => between.includes(step))).not.toEqual([]);
    expect(await currentBuild()).toBe(secondBuild);
    await eventually('the actor has moved', actorBuild, (build) => build === secondBuild);
  });

  test('no workflow has failed, no minute was left out, and every row is the truth', async () => {
    expect(await backfill).toMatchObject({ state: 'completed', failed: [] });
    await pauseIngestion(stack);
    expect(await count(isFailed)).toBe(0);
    const times = (await runsOf(stack)).map(({ scheduled_at }) => scheduled_at.getTime());
    const minutes = [...new Set(times.map((time) => Math.floor(time / 60_000)))];
    expect(minutes).toHaveLength((minutes.at(-1) ?? 0) - (minutes[0] ?? 0) + 1);
    const lateMs = (await runsOf(stack)).map((run) => run.started_at.getTime() - run.scheduled_at.getTime());
    console.log(
      `runs of ingestion: ${times.length}, the latest began ${Math.max(...lateMs)} ms after its time`,
    );
    expect(await differencesFrom(stack, past, from, to)).toEqual([]);
    const records = await liveRecords(stack);
    await stack.sql(`delete from observations where observed_at < '${to.toISOString()}'`);
    await stack.sql(`delete from weather_hourly where window_start < '${to.toISOString()}'`);
    expect(await untilStored(stack, records)).toEqual([...new Set(records.map(({ key }) => key))].sort());
  });

  test('the worker of the first build ends when nothing is open on it any more', async () => {
    await eventually(
      'one worker is left',
      async () => workers(),
      (left) => left.join() === secondBuild,
      {
        withinMs: 60_000,
      },
    );
  });
});

describe('a build whose runs fail', () => {
  test('is taken back by itself', async () => {
    checkout.change(
      'workflows/ingest-weather.ts',
      /^( *)await sleep\(10\);$/m,
      "$1if (Date.now() > 0) throw ApplicationFailure.nonRetryable('no weather any more');",
    );
    const deploying = checkout.hourglass('workers', 'deploy');
    const bad = await eventually('it is current', currentBuild, (build) => build !== secondBuild, {
      withinMs: 60_000,
    });
    await stack.withTemporal((client) =>
      client.schedule.getHandle(ingestScheduleId('weather', 'mock', 0)).trigger(),
    );
    const { code, stderr } = await deploying;
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /is refused by the watch gate; \w+ is current\. \d+ runs failed since it is current/,
    );
    await eventually('the one before is current', currentBuild, (build) => build === secondBuild);
    const log = readFileSync(join(stack.config.dataDir, 'logs/deploys.log'), 'utf8');
    expect(log).toContain(`${bad} is taken back: `);
    const { stdout } = await checkout.hourglass('workers', 'versions');
    expect(stdout).toMatch(new RegExp(`${bad} .*watch ✗`));
  });

  test('is not rolled back from once more; wanted again without waiting, it is given up by a rollback', async () => {
    const rollback = async () => (await checkout.hourglass('workers', 'rollback')).stdout;
    expect(await rollback()).toContain(`Build ${secondBuild} is current: build`);
    const { code, stdout } = await checkout.hourglass(
      ...['workers', 'deploy', '--no-wait', '--accept', 'ingestWeather', '--json'],
    );
    expect([code, JSON.parse(stdout)]).toMatchObject([0, { outcome: 'wanted', steps: [] }]);
    expect(await stack.sql('select accepted_types from worker_wishes')).toEqual([
      { accepted_types: ['ingestWeather'] },
    ]);
    expect(await rollback()).toContain(`Build ${secondBuild} stays current; the deploy that was under way`);
    expect(await currentBuild()).toBe(secondBuild);
  });
});
