/**
 * The first hours of a stranger with a fresh clone: every command of the documentation that changes a stack, taken from the Markdown as it
 * stands, in the order in which somebody would come to it, and what it has brought about. What an example names (a day, an id, a version)
 * becomes what this stack has.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { changedGroupKey, type SqlChange, wrongAverages } from '../../bench/support/sql-changes.ts';
import { readVersion, recordVersion } from '../../clients/job-versions.ts';
import { connectKafka } from '../../clients/kafka.ts';
import { connectDatabase } from '../../clients/postgres.ts';
import { kafkaBrokers, postgresAddress } from '../../config/addresses.ts';
import { readState } from '../../stack/data-dir.ts';
import { effects } from '../support/documented-effects.ts';
import { eventually } from '../support/eventually.ts';
import { freePorts } from '../support/free-ports.ts';
import { createStranger, type Stranger, type Terminal } from '../support/stranger.ts';

const HOUR_MS = 3_600_000;
const OSLO = 3143244;
const job = 'weather-stream';
const thisHour = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
/** So many hours ago, as the command line takes it. */
const ago = (hours: number): string => new Date(thisHour - hours * HOUR_MS).toISOString().slice(0, 13);
const at = (hours: number): string => new Date(thisHour - hours * HOUR_MS).toISOString();
const range = (command: string, from: number, to: number): string =>
  command.replace(/--from \S+/, `--from ${ago(from)}`).replace(/--to \S+/, `--to ${ago(to)}`);

let stranger: Stranger;
let first: Terminal;
const poison = Buffer.from('{"id": 3143244, "main": {"temp": 1}}');

/** Types what stands on the page; it is to succeed. @returns what it wrote to its standard output */
async function follow(file: string, words: string, adapt = (command: string) => command): Promise<string> {
  const command = adapt(stranger.take(file, words));
  const { code, stdout, stderr } = await whileSlotsAreFree(command);
  expect([command, code, stderr.split('\n').filter((line) => line.startsWith('hourglass:'))]).toEqual([
    command,
    0,
    [],
  ]);
  return stdout;
}

/** The same for what is to be refused. @returns the sentence */
async function refused(
  file: string,
  words: string,
  { adapt = (command: string) => command, code = 1 } = {},
): Promise<string> {
  const { code: its, stderr } = await whileSlotsAreFree(adapt(stranger.take(file, words)));
  expect([its, stderr]).toEqual([code, expect.stringMatching(/^hourglass: /m)]);
  return stderr;
}

/** What needs slots of Flink waits for the batch jobs that repair hours meanwhile. */
const whileSlotsAreFree = (command: string) =>
  eventually(
    'there are slots',
    () => stranger.type(command),
    ({ stderr }) => !stderr.includes('free slots in Flink, and there are'),
    { everyMs: 3_000 },
  );

/** What the command line says now; asked so often that npx would be most of the work. */
const json = async (command: string) =>
  JSON.parse((await stranger.type(`node cli/bin.js ${command} --json`)).stdout);
const patiently = { withinMs: 120_000, everyMs: 2_000 };
const one = async <Row extends object>(text: string): Promise<Row | undefined> =>
  (await stranger.sql<Row>(text))[0];
const count = async (from: string): Promise<number> =>
  (await one<{ count: number }>(`select count(*)::integer as count from ${from}`))?.count ?? 0;

async function publish(values: readonly Buffer[]): Promise<void> {
  const kafka = connectKafka(kafkaBrokers(stranger.config()));
  try {
    const records = values.map((value) => ({ key: String(OSLO), value, headers: { source: 'mock' } }));
    await kafka.publish('weather.observations.v1', records);
  } finally {
    await kafka.close();
  }
}

/** Of hours that were not loaded at the start, six times in each: only the stream has made their rows. */
const hoursOfTheStream = (): Buffer[] =>
  [29, 30, 31, 32, 33, 34].flatMap((hours) =>
    [5, 15, 25, 35, 45, 55].map((minute) => {
      const dt = (thisHour - hours * HOUR_MS) / 1_000 + minute * 60;
      return Buffer.from(JSON.stringify({ id: OSLO, dt, name: 'Oslo', main: { temp: minute / 10 } }));
    }),
  );

/** The mock answers, but so late that what asks it is still under way when the next command comes. */
const mockAnswersAfter = (ms: number) =>
  fetch(`http://127.0.0.1:${stranger.config().values.MOCK_ADMIN_PORT}/faults`, {
    method: 'PUT',
    body: JSON.stringify(ms === 0 ? {} : { latency: { share: 1, ms } }),
  });

beforeAll(async () => {
  stranger = createStranger({
    ...(await freePorts()),
    MOCK_STEP_SECONDS: '20',
    DEPLOY_WATCH_SECONDS: '5',
    JOB_UPGRADE_LEAST_SECONDS: '5',
  });
  const settings = join(stranger.directory, 'docker/flink/config.yaml');
  const text = readFileSync(settings, 'utf8');
  // Three checkpoints confirm a version: nobody has to wait for them here.
  expect(text).toContain('execution.checkpointing.interval: 10 s');
  writeFileSync(settings, text.replace('checkpointing.interval: 10 s', 'checkpointing.interval: 2 s'));
});
afterAll(async () => {
  await stranger?.type('npx hourglass down');
  await first?.interrupt();
  stranger?.remove();
});

describe('README.md and docs/tutorial.md', () => {
  test('bring everything up with two commands, and the terminal shows the running hour', async () => {
    first = stranger.leave(stranger.take('README.md', 'npm ci && npm start'));
    await eventually(
      'the running hour has every city',
      async () => first.text(),
      (text) => text.includes('60 cities in the running hour'),
      { withinMs: 240_000 },
    );
    // There is something new to read each minute.
    await stranger.sql('update locations set cadence_minutes = 1');
    await publish([poison]);
  });

  test('load the past of a city, as it is written there', async () => {
    const since = await follow('README.md', '--active-from 3d');
    expect(since).toContain('Oslo');
    expect(await follow('README.md', 'backfill plan')).toMatch(/^Plan weather-[\s\S]*To load +47 windows/);
    await follow('docs/tutorial.md', 'backfill start');
    const past = "window_start < date_trunc('hour', now()) - interval '25 hours'";
    // One more where an hour has passed meanwhile.
    expect(await count(`weather_hourly where city_id = ${OSLO} and ${past}`)).toBeGreaterThanOrEqual(47);
  });

  test('show what every hour was judged, and why', async () => {
    const command = stranger.take('README.md', 'completeness show');
    const map = await eventually(
      'the last day is judged',
      () => stranger.type(command),
      ({ stdout }) => /^Completeness of weather/.test(stdout),
    );
    expect(map.stdout).toContain('Oslo');
    expect(await follow('README.md', 'explain Oslo 3h')).toMatch(/^Verdict/m);
  });

  test('break an hour, and show how it mends', async () => {
    const said = await follow('README.md', 'npx hourglass tour', (command) => `${command} --yes`);
    expect(said).toMatch(/Broken\. Deleted:[\s\S]*Mended after .* true again/);
  });
});

describe('docs/locations.md', () => {
  const page = 'docs/locations.md';
  const location = (id: number) =>
    one<{ name: string; cadence_minutes: number; active_to: Date | null }>(
      `select name, cadence_minutes, active_to from locations where city_id = ${id}`,
    );

  test('finds a city by its name, and checks a file without taking it', async () => {
    expect(await follow(page, '--search "Oslo,NO"')).toContain('Oslo');
    expect(await location(OSLO)).toMatchObject({ name: 'Oslo' });
    const text = readFileSync(join(stranger.directory, page), 'utf8');
    writeFileSync(join(stranger.directory, 'cities.csv'), /```csv\n([\s\S]*?)```/.exec(text)?.[1] ?? '');
    const before = await stranger.sql('select * from locations order by city_id');
    expect(await follow(page, 'import cities.csv')).toContain('Nothing was written.');
    expect(await stranger.sql('select * from locations order by city_id')).toEqual(before);
  });

  test('ends a city, registers it anew as the command says, and picks one of several', async () => {
    await follow(page, 'locations deactivate');
    expect((await location(OSLO))?.active_to).not.toBeNull();
    await follow(page, '--cadence 30');
    expect(await location(OSLO)).toMatchObject({ name: 'Oslo', cadence_minutes: 30 });
    await stranger.type(`npx hourglass locations activate ${OSLO}`);
    await follow(page, '--pick 2', (command) => command.replace('Springfield', 'Oslo').replace('2', '1'));
    expect(await location(OSLO)).toMatchObject({ active_to: null });
  });
});

describe('docs/backfills.md', () => {
  const page = 'docs/backfills.md';
  const plan = async (from: number, to: number, rest = ''): Promise<string> =>
    (await json(`backfill plan --from ${ago(from)} --to ${ago(to)} ${rest}`)).id;
  const state = async (id: string): Promise<string> => (await json(`backfill show ${id}`)).status;
  const loaded = (from: number, to: number) =>
    count(`observations where observed_at >= '${at(from)}' and observed_at < '${at(to)}'`);

  test('loads exactly the plan that was made, by its id or with a yes', async () => {
    // Who was registered anew is expected from then on.
    await stranger.sql("update locations set active_from = now() - interval '6 days'");
    const oslo = await plan(83, 80, '--city Oslo');
    await follow(page, 'start --plan weather-', (command) => command.replace(/weather-\S+/, oslo));
    expect([await state(oslo), await loaded(83, 80)]).toEqual(['completed', 3]);
    const later = await plan(50, 49);
    await follow(page, 'start --plan ID', (command) => command.replace('ID', later));
    await follow(page, '--from …', (command) =>
      range(command.replace('[--yes]', '--yes --wait'), 49, 48).replace('--to …', `--to ${ago(48)}`),
    );
    const watched = await follow(page, 'show ID --watch', (command) => command.replace('ID', later));
    expect(watched).toContain('is completed');
    expect(await loaded(50, 48)).toBeGreaterThanOrEqual(2 * 60);
  });

  test('pauses, resumes and cancels what is under way', async () => {
    await mockAnswersAfter(2_000);
    const begun = async (from: number, to: number) => {
      const id = await plan(from, to, '--max-concurrency 1');
      await stranger.type(`npx hourglass backfill start --plan ${id}`);
      return { id, named: (command: string) => command.replace('ID', id) };
    };
    const slow = await begun(77, 56);
    await follow(page, 'pause ID', slow.named);
    expect(await state(slow.id)).toBe('paused');
    await follow(page, 'resume ID', slow.named);
    expect(await state(slow.id)).not.toBe('paused');
    const other = await begun(107, 86);
    await follow(page, 'cancel ID --now', other.named);
    const third = await begun(131, 110);
    await follow(page, 'npx hourglass backfill cancel ID', third.named);
    await mockAnswersAfter(0);
    await eventually(
      'both are cancelled',
      async () => [await state(other.id), await state(third.id)],
      (states) => states.every((each) => each === 'cancelled'),
      patiently,
    );
  });

  test('takes a file whose figures are in other units', async () => {
    const line = { id: OSLO, dt: (thisHour - 140 * HOUR_MS) / 1_000, name: 'Oslo', main: { temp: 50 } };
    writeFileSync(join(stranger.directory, 'history.ndjson.gz'), gzipSync(`${JSON.stringify(line)}\n`));
    await follow(page, '--input file', (command) => `${range(command, 141, 139)} --city Oslo --yes --wait`);
    expect(await one(`select temp from observations where observed_at = '${at(140)}'`)).toEqual({ temp: 10 });
  });
});

describe('docs/dead-letters.md', () => {
  const page = 'docs/dead-letters.md';
  const live = "dead_letters where topic = 'weather.observations.v1'";
  let place: string;
  const here = (command: string) => command.replace('weather.observations.v1 2 1417', place);
  const today = (command: string) =>
    command.replace(/2026-01-31T00:00:00Z/, at(24)).replace(/2026-02-01T00:00:00Z/, at(-1));
  const outcome = () => one<{ outcome: string }>(`select outcome from ${live}`);

  test('shows a record that became no row, to the byte', async () => {
    const [letter] = await eventually(
      'the poison of the beginning is on record',
      () =>
        stranger.sql<{ place: string }>(
          `select concat_ws(' ', topic, partition_id, record_offset) as place from ${live}`,
        ),
      (letters) => letters.length === 1,
      { withinMs: 120_000 },
    );
    place = letter?.place ?? '';
    expect(await follow(page, 'dead-letters show', here)).toContain('The field "dt" is missing');
    await follow(page, '--raw', here);
    expect(readFileSync(join(stranger.directory, 'record.json'))).toEqual(poison);
  });

  test('replays it: poison stays poison, however it is chosen', async () => {
    expect(await follow(page, '--dry-run')).toMatch(/refused/);
    expect(await outcome()).toEqual({ outcome: null });
    expect(await follow(page, 'v1 --wait')).toMatch(/refused/);
    expect(await outcome()).toEqual({ outcome: 'refused' });
    expect(await follow(page, '--again --wait', here)).toMatch(/refused/);
    await follow(page, '--until', today);
    await follow(page, '--all');
    expect(await outcome()).toEqual({ outcome: 'refused' });
  });
});

describe('docs/completeness.md', () => {
  const page = 'docs/completeness.md';
  test('judges what is due, and any range', async () => {
    const runs = () => count('completeness_checks');
    const before = await runs();
    await follow(page, 'completeness check');
    await eventually('a check is on record', runs, (after) => after > before);
    const said = await follow(page, 'check --from', (command) => range(command, 8, 5));
    expect(said).toMatch(/^Judged [\s\S]*complete/);
  });
});

describe('docs/job-commands.md and docs/upgrades.md', () => {
  const page = 'docs/job-commands.md';
  const show = () => json(`job show ${job}`);
  const savepoints = () => json(`job savepoints ${job}`);

  /** @returns the name of a version as it would be with this change of the SQL */
  async function changed(change: SqlChange['apply']): Promise<string> {
    const database = connectDatabase({ ...postgresAddress(stranger.config()), connections: 1 });
    try {
      const present = await readVersion(database, job, (await show()).version);
      if (present === undefined) throw new Error('the version that runs is not on record');
      return await recordVersion(database, job, change(present));
    } finally {
      await database.close();
    }
  }
  const version = (name: string) => (command: string) => command.replace(/[0-9a-f]{12}/, name);

  test('try a change of the SQL while the job runs on', async () => {
    expect(await refused(page, 'npx hourglass job rollback weather-stream')).toContain(
      'there is no version of weather-stream before this one',
    );
    const { flinkJobId } = await show();
    const file = join(stranger.directory, 'sql/flink/views/plausible-observations.sql');
    const own = readFileSync(file, 'utf8');
    writeFileSync(file, own.replace('temp BETWEEN -90 AND 60', 'temp BETWEEN -95 AND 65'));
    expect(await follow('docs/tutorial.md', '--dry-run')).toContain('State fits');
    writeFileSync(file, own);
    const stricter = await changed((present) => ({
      ...present,
      statements: present.statements.map((sql) => sql.replace('BETWEEN 0 AND 120', 'BETWEEN 0 AND 110')),
    }));
    expect(await follow(page, '--dry-run --version 13e81c18266f', version(stricter))).toContain('State fits');
    const otherKey = await changed(changedGroupKey.apply);
    const verdict = await follow(page, '--dry-run --version 82dd5baf39e3 --json', version(otherKey));
    expect(JSON.parse(verdict)).toMatchObject({ version: otherKey, verdict: 'doesNotFit' });
    expect(await show()).toMatchObject({ state: 'stable', flinkJobId });
  });

  test('suspend and resume, save and restart', async () => {
    await follow(page, 'suspend');
    // Flink shows a job for some seconds as it was.
    await eventually(
      'it has ended in Flink',
      show,
      ({ state, flink }) => state === 'suspended' && flink.state === 'FINISHED',
      patiently,
    );
    await follow(page, 'resume weather-stream --wait');
    expect(await show()).toMatchObject({ state: 'stable', flink: { state: 'RUNNING' } });
    const said = await follow(page, 'savepoint weather-stream --wait');
    const [newest] = await savepoints();
    expect(said).toContain(`trigger id ${newest.triggerId}`);
    expect(await follow(page, 'savepoints weather-stream')).toContain(newest.triggerId);
    expect(JSON.parse(await follow(page, 'savepoints weather-stream --limit 1'))).toHaveLength(1);
    const { attempt } = await show();
    await follow(page, 'restart weather-stream --wait');
    expect(await show()).toMatchObject({ state: 'stable', attempt: attempt + 1 });
    const tooShort = await refused(page, '--wait --timeout 2', {
      adapt: (command) => command.replace(/[0-9a-f]{32}/, newest.triggerId),
    });
    expect(tooShort).toContain('was not reached within 2 s');
    await eventually(
      'it is stable all the same',
      show,
      (now) => now.state === 'stable' && now.attempt === attempt + 2,
      patiently,
    );
    expect(await refused(page, 'restart weather-stream --from nothing', { code: 2 })).toContain(
      '--accept-state-loss',
    );
    expect(await refused(page, '--from 00000000')).toContain('which is not on record as ended');
  });

  test('stop it for good, and begin again from there', async () => {
    expect(await follow(page, 'job stop')).toContain('its actor has ended');
    expect(await show()).toMatchObject({ state: 'stopped' });
    const { restorePath, state } = JSON.parse(await follow(page, 'deploy weather-stream --wait --json'));
    expect(state).toBe('stable');
    expect(restorePath).toBe((await savepoints())[0].path);
  });

  test('tell why a submission failed, and that no worker answers', async () => {
    const processes = readState(stranger.config().dataDir)?.services ?? [];
    const pid = (name: string): number =>
      processes.find((service) => service.name.startsWith(name))?.process?.pid ?? Number.NaN;
    process.kill(pid('flink-taskmanager'), 'SIGKILL');
    await eventually(
      'Flink has noticed',
      () => json(`job exceptions ${job}`),
      ({ exceptions }) => exceptions.length > 0,
      patiently,
    );
    expect(await follow(page, 'exceptions weather-stream')).toMatch(/^\d{4}-.*Exception/m);
    expect(JSON.parse(await follow(page, 'exceptions weather-stream --json'))).toMatchObject({ name: job });
    await eventually('it runs again', show, ({ state }) => state === 'stable', patiently);
    const worker = pid('worker-');
    process.kill(worker, 'SIGSTOP');
    try {
      expect(await refused(page, 'npx hourglass job resume weather-stream')).toContain('No worker answers');
    } finally {
      process.kill(worker, 'SIGCONT');
    }
  });

  test('change the parallelism', async () => {
    const before = await show();
    expect(await follow(page, 'rescale')).toMatch(/is stable on version/);
    expect((await show()).version).not.toBe(before.version);
  });

  test('find wrong averages beside the job, cut over to what is equal, and go back', async () => {
    await publish(hoursOfTheStream());
    await eventually(
      'the hours that the stream makes alone are there',
      () => count(`weather_hourly where origin = 'stream' and window_start < '${at(28)}'`),
      (hours) => hours >= 6,
    );
    const before = await show();
    const wrong = await changed(wrongAverages.apply);
    expect(
      await refused(page, '--shadow --yes --wait --version 0287e6ddb0ab', { adapt: version(wrong) }),
    ).toContain('they differ in temp_avg');
    expect(await show()).toMatchObject({ version: before.version, attempt: before.attempt });
    const otherKey = await changed(changedGroupKey.apply);
    expect(await follow(page, '--shadow --yes --wait --version 82dd5baf39e3', version(otherKey))).toContain(
      'all are equal',
    );
    expect(await show()).toMatchObject({ state: 'stable', version: otherKey });
    await follow(page, 'rollback weather-stream --wait');
    expect(await show()).toMatchObject({ state: 'stable', version: before.version });
  });
});

describe('docs/deploys.md and docs/workers.md', () => {
  const page = 'docs/deploys.md';
  const current = async (): Promise<string> =>
    (await json('workers versions')).find(({ status }: { status: string }) => status === 'current')?.buildId;

  test('deploy a changed build, take it back, and leave nothing on older ones', async () => {
    const before = await current();
    const file = join(stranger.directory, 'workflows/account-for-records.ts');
    const own = readFileSync(file, 'utf8');
    writeFileSync(file, `${own}\nexport const another = 'build';\n`);
    await follow(page, 'workers deploy');
    writeFileSync(file, own);
    const after = await current();
    expect(after).not.toBe(before);
    await follow(page, 'workers rollback');
    expect(await current()).toBe(before);
    const named = (command: string) => command.replace('<build>', after);
    for (const command of [
      'drain --wait',
      'drain <build> --terminate --force',
      'drain <build> --terminate',
      'drain',
    ])
      expect(await follow(page, `npx hourglass workers ${command}`, named)).toContain(
        'Nothing is open on older builds.',
      );
  });

  test('run more workers beside, for some of the task queues', async () => {
    const workers = ['source-history,source-api', 'flink --health-port'].map((words) => ({
      roles: words.split(' ')[0] ?? '',
      terminal: stranger.leave(stranger.take('docs/workers.md', words)),
    }));
    for (const { roles, terminal } of workers) {
      await eventually(
        `${roles} is served`,
        async () => terminal.text(),
        (text) => new RegExp(`serves ${roles.replace(',', ', ')};`).test(text) && /worker polls/.test(text),
      );
    }
    for (const { terminal } of workers) {
      await terminal.interrupt();
      expect(terminal.text()).toContain('worker stopped');
    }
  });
});

describe('docs/mock.md', () => {
  const page = 'docs/mock.md';
  test('runs the mock alone, and changes its faults while it runs', async () => {
    const ports = await freePorts();
    const { MOCK_PORT, MOCK_ADMIN_PORT } = ports;
    const mock = stranger.leave(
      stranger.take(page, 'hourglass mock').concat(` --port ${MOCK_PORT} --admin-port ${MOCK_ADMIN_PORT}`),
    );
    const faults = async () =>
      (await fetch(`http://127.0.0.1:${MOCK_ADMIN_PORT}/faults`)).json() as Promise<object>;
    const there = (command: string) => command.replace(':8091', `:${MOCK_ADMIN_PORT}`);
    await eventually('it answers', faults, (found) => 'serverError' in found);
    expect(await faults()).toMatchObject({ serverError: 0.02, stale: 0.05 });
    await follow(page, 'curl -X PUT', there);
    expect(await faults()).toMatchObject({ outages: [{ cities: [2643743], answer: 'silence' }] });
    await follow(page, 'curl -X DELETE', there);
    expect(await faults()).not.toHaveProperty('outages');
    await mock.interrupt();
  });
});

describe('docs/air-pollution.md', () => {
  const page = 'docs/air-pollution.md';
  test('stops everything in order, and starts it with the air beside the weather', async () => {
    await follow('docs/tutorial.md', 'npx hourglass down');
    expect(await first.ended()).toBe(0);
    first = stranger.leave(stranger.take(page, 'npm start'));
    writeFileSync(
      join(stranger.directory, '.env'),
      `${readFileSync(join(stranger.directory, '.env'), 'utf8')}PIPELINES=weather,air-pollution\n`,
    );
    await eventually(
      'it is up',
      async () => first.text(),
      (text) => /\d+ cities in the running hour/.test(text),
      { withinMs: 180_000 },
    );
    await eventually(
      'the air has rows',
      () => count('air_hourly'),
      (rows) => rows >= 60,
    );
    expect(await follow(page, 'job show air-stream')).toMatch(/air-stream is (stable|settling)/);
    await follow(page, 'completeness show', (command) => `${command} --from ${ago(3)} --to ${ago(0)}`);
    expect(await follow(page, 'backfill list')).toContain('air-pollution-');
    expect(await follow(page, 'audit')).toContain('No hour differs');
  });
});

test('no command that only this file runs was left out', () => {
  const isOurs = (command: string): boolean => {
    const effect = effects.find(([pattern]) => pattern.test(command))?.[1];
    return effect?.kind === 'elsewhere' && effect.file === 'tests/chaos/first-hours.test.ts';
  };
  expect(stranger.notTaken(isOurs)).toEqual([]);
});
