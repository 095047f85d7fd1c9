import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { projectRoot } from '../config/load.ts';

const children: ChildProcess[] = [];
const servers: Server[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const server of servers.splice(0)) server.close();
});

function run(...args: string[]) {
  const child = spawn(process.execPath, [join(projectRoot, 'cli/bin.js'), 'mock', ...args]);
  children.push(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  const exited = once(child, 'close').then(([code]) => code as number | null);
  return { child, exited, output: () => output };
}

/** Returns the addresses of the API and of the admin, once they are printed. */
async function addressesOf({ child, output }: ReturnType<typeof run>): Promise<(string | undefined)[]> {
  while (!/The mock answers .*\n.*\n/.test(output()) && child.exitCode === null)
    await new Promise((resolve) => setTimeout(resolve, 20));
  return [/mock answers at (\S+),/, /admin answers at (\S+):/].map((found) => found.exec(output())?.[1]);
}

async function listener(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** Free a moment ago. */
async function freePort(): Promise<string> {
  const port = await listener();
  const server = servers.pop();
  await new Promise((resolve) => server?.close(resolve));
  return String(port);
}

describe('hourglass mock', () => {
  test('answers, takes faults on its admin port and ends with SIGTERM', async () => {
    const [port, adminPort] = [await freePort(), await freePort()];
    const faults = '{"gatewayPage":1}';
    const mock = run('--port', port, '--admin-port', adminPort, '--plan', 'free', '--faults', faults);
    const [url, adminUrl] = await addressesOf(mock);
    expect([url, adminUrl]).toEqual([`http://127.0.0.1:${port}`, `http://127.0.0.1:${adminPort}`]);
    const weather = async () => (await fetch(`${url}/data/2.5/weather?q=Oslo&appid=k`)).status;
    expect(await weather()).toBe(502);
    await fetch(`${adminUrl}/faults`, { method: 'DELETE' });
    expect(await weather()).toBe(200);
    const { keys } = (await (await fetch(`${adminUrl}/calls`)).json()) as { keys: object[] };
    expect(keys).toMatchObject([{ callsPerMinute: 60, total: 2 }]);
    mock.child.kill('SIGTERM');
    expect(await mock.exited).toBe(0);
  });

  test.each([
    ['--port', 'for the mock is in use'],
    ['--admin-port', "for the mock's admin is in use"],
  ])('whose %s is taken ends with one sentence', async (option, sentence) => {
    const taken = String(await listener());
    const other = option === '--port' ? '--admin-port' : '--port';
    const mock = run(option, taken, other, await freePort());
    expect(await mock.exited).toBe(1);
    expect(mock.output()).toBe(
      `hourglass: Port ${taken} ${sentence}: stop what listens there, or give another with ${option}.\n`,
    );
  });

  test('takes another admin port when nobody asked for one, so that two mocks run side by side', async () => {
    const addresses: (string | undefined)[] = [];
    for (const port of [await freePort(), await freePort()])
      addresses.push(...(await addressesOf(run('--port', port))));
    expect(new Set(addresses).size).toBe(4);
    for (const address of addresses) expect((await fetch(`${address}/`)).status).toBe(404);
  });

  test('listens where it is told, its admin on the loopback address alone, and takes an empty text for no faults', async () => {
    const [port, adminPort] = [await freePort(), await freePort()];
    const mock = run('--host', '0.0.0.0', '--port', port, '--admin-port', adminPort, '--faults', '');
    expect(await addressesOf(mock)).toEqual([`http://0.0.0.0:${port}`, `http://127.0.0.1:${adminPort}`]);
    expect((await fetch(`http://127.0.0.1:${port}/data/2.5/weather?q=Oslo&appid=k`)).status).toBe(200);
  });

  test('refuses faults that it cannot read with one sentence', async () => {
    const mock = run('--faults', '{"serverError":5}');
    expect(await mock.exited).toBe(2);
    expect(mock.output()).toContain('The field "serverError" is 5, expected a number from 0 to 1.');
  });
});
