import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { connectTemporal } from '../../clients/temporal.ts';
import { flinkRestUrl, temporalAddress } from '../../config/addresses.ts';
import { readState } from '../../stack/data-dir.ts';
import { config, connectSql, stack } from '../support/shared-stack.ts';

const secrets = Object.entries({
  'the token of the webhook': 'webhook-that-must-stay-secret',
  'the API key': stack.environment['OPENWEATHERMAP_API_KEY'],
  'the owner’s password': stack.environment['POSTGRES_PASSWORD'],
  'the pipeline’s password': stack.environment['POSTGRES_PIPELINE_PASSWORD'],
  'the reader’s password': stack.environment['POSTGRES_READER_PASSWORD'],
  'the superuser’s password': stack.superuserPassword,
}) as [string, string][];

function expectNoSecret(where: string, text: string): void {
  for (const [name, secret] of secrets) expect(text.includes(secret), `${name} in ${where}`).toBe(false);
}

test('no secret is in a log', () => {
  const directory = join(stack.dataDir, 'logs');
  const files = readdirSync(directory).filter((file) => statSync(join(directory, file)).size > 0);
  expect(files).toContain('flink-taskmanager.log');
  for (const file of files) expectNoSecret(file, readFileSync(join(directory, file), 'utf8'));
});

test('no secret is on a page of Flink', async () => {
  const rest = flinkRestUrl(config);
  const get = async (path: string): Promise<string> => (await fetch(`${rest}${path}`)).text();
  const { jobs } = JSON.parse(await get('/jobs/overview')) as { jobs: { jid: string; name: string }[] };
  expect(jobs.map(({ name }) => name)).toContain('weather-stream');
  const { taskmanagers } = JSON.parse(await get('/taskmanagers')) as { taskmanagers: { id: string }[] };
  const paths = [
    '/config',
    '/jobmanager/config',
    '/jobmanager/environment',
    '/jobmanager/log',
    '/jobmanager/stdout',
    ...taskmanagers.flatMap(({ id }) => [
      `/taskmanagers/${id}`,
      `/taskmanagers/${id}/log`,
      `/taskmanagers/${id}/stdout`,
    ]),
    ...jobs.flatMap(({ jid }) =>
      [
        '',
        '/config',
        '/plan',
        '/exceptions',
        '/checkpoints',
        '/checkpoints/config',
        '/accumulators',
        '/jobmanager/config',
        '/jobmanager/environment',
      ].map((part) => `/jobs/${jid}${part}`),
    ),
  ];
  for (const path of paths) expectNoSecret(path, await get(path));
});

test('no secret is in a workflow’s history or in what is stored of a job', async () => {
  const client = await connectTemporal(temporalAddress(config), config.values.TEMPORAL_NAMESPACE);
  let seen = 0;
  for await (const { workflowId, runId } of client.workflow.list()) {
    const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    // A payload's bytes have become base64 by the time they are seen here.
    const text = JSON.stringify(history, (key, value) =>
      key === 'data' && typeof value === 'string' ? Buffer.from(value, 'base64').toString() : value,
    );
    expect(text, 'payloads are read as text').not.toContain('"data":"eyJ');
    expectNoSecret(`the history of ${workflowId}`, text);
    if (text.includes('weather')) seen += 1;
  }
  await client.connection.close();
  expect(seen, 'histories whose payloads were read').toBeGreaterThanOrEqual(2);
  const sql = await connectSql();
  const { rows } = await sql.query('select * from flink_job_versions');
  await sql.end();
  expect(rows.length).toBeGreaterThan(0);
  expectNoSecret('flink_job_versions', JSON.stringify(rows));
});

test('no secret is in a row of the control plane’s tables', async () => {
  const sql = await connectSql();
  const { rows: tables } = await sql.query<{ name: string }>(
    `select relname as name from pg_class
     where relnamespace = 'public'::regnamespace and relkind = 'r' and not relispartition`,
  );
  expect(tables.length).toBeGreaterThan(15);
  for (const { name } of tables) {
    const { rows } = await sql.query<{ row: string }>(
      `select t::text as row from "${name}" t order by random() limit 20000`,
    );
    expectNoSecret(name, rows.map(({ row }) => row).join('\n'));
  }
  await sql.end();
});

test('no secret is on the command line of a service, where every user of the machine can read it', () => {
  const services = readState(stack.dataDir)?.services ?? [];
  expect(services.length).toBeGreaterThan(6);
  for (const { name, process: identity } of services) {
    // Where there is no such directory the line is not told to others either.
    const file = `/proc/${identity?.pid}/cmdline`;
    expectNoSecret(name, existsSync(file) ? readFileSync(file, 'utf8') : '');
  }
});

test('no secret is in what the stack writes about itself', () => {
  for (const file of ['state.json', 'internal-ports.json'])
    expectNoSecret(file, readFileSync(join(stack.dataDir, file), 'utf8'));
  const builds = join(stack.dataDir, 'builds');
  const files = readdirSync(builds, { recursive: true, withFileTypes: true }).filter((each) => each.isFile());
  expect(files.length).toBeGreaterThan(3);
  for (const { parentPath, name } of files)
    expectNoSecret(name, readFileSync(join(parentPath, name), 'utf8'));
});

test('files with secrets can be read by their owner alone', () => {
  for (const file of ['secrets.env', 'addresses.env', 'flink/pgpass']) {
    expect(statSync(join(stack.dataDir, file)).mode & 0o077, file).toBe(0);
  }
});
