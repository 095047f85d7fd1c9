import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { temporaryDirectories } from '../tests/support/temporary-directories.ts';
import { ServiceStartError } from './errors.ts';
import { isAlive } from './process-identity.ts';
import { type ServiceSpec, type ServiceStatus, SupervisedService } from './supervisor.ts';

const temporaryDirectory = temporaryDirectories();

const started: SupervisedService[] = [];
afterAll(async () => {
  await Promise.all(
    started.map((service) => {
      service.kill();
      return service.stop();
    }),
  );
});

interface Watched {
  readonly service: SupervisedService;
  readonly statuses: readonly ServiceStatus[];
  readonly logFile: string;
}

/** A service that is a tiny Node program; it is ready when its log says so. */
function serviceOf(script: string, spec: Partial<ServiceSpec> = {}): Watched {
  const logFile = join(temporaryDirectory(), 'tiny.log');
  const statuses: ServiceStatus[] = [];
  const service = new SupervisedService(
    {
      name: 'tiny',
      command: process.execPath,
      args: ['-e', script],
      logFile,
      ready: async () => {
        if (!readFileSync(logFile, 'utf8').includes('ready')) throw new Error('not yet');
      },
      ...spec,
    },
    (status) => statuses.push(status),
  );
  started.push(service);
  return { service, statuses, logFile };
}

const STAY = 'setInterval(() => {}, 1000);';
const READY_AND_STAY = `console.log('ready'); ${STAY}`;

const identityOf = (service: SupervisedService) =>
  vi.waitFor(() => {
    const { process: identity } = service.status();
    if (identity === undefined) throw new Error('no identity yet');
    return identity;
  });

describe.concurrent('starting', () => {
  test('resolves when the service has answered, and its phases were starting and ready', async () => {
    const { service, statuses } = serviceOf(READY_AND_STAY);
    await service.start();
    expect(service.status()).toMatchObject({ name: 'tiny', phase: 'ready', restarts: 0 });
    expect(statuses.map(({ phase }) => phase)).toEqual(
      expect.arrayContaining(['starting', 'ready'] as ServiceStatus['phase'][]),
    );
    expect(await isAlive(await identityOf(service))).toBe(true);
  });

  test('fails after three deaths, with the last lines of the log', async () => {
    const { service, logFile } = serviceOf(
      "for (let i = 1; i <= 9; i += 1) console.log('line ' + i); process.exit(7);",
    );
    const starting = service.start();
    await expect(starting).rejects.toThrow(ServiceStartError);
    const message = await starting.catch((error: Error) => error.message);
    expect(message).toContain('tiny did not start: its process ended 3 times (exit code 7).');
    expect(message).toContain(`Its log is ${logFile} and ends with:\n  line 5\n  line 6\n`);
    expect(message).not.toContain('line 4');
    expect(readFileSync(logFile, 'utf8').match(/line 9/g)).toHaveLength(3);
  });

  test.each([
    ['a program that does not exist', { command: '/nowhere/java' }, /ENOENT/],
    ['a log file that cannot be opened', { logFile: '/nowhere/tiny.log' }, /ENOENT/],
  ])('%s is a service that did not start', async (_, spec, reason) => {
    const { service } = serviceOf('', spec);
    const starting = service.start();
    await expect(starting).rejects.toThrow(ServiceStartError);
    await expect(starting).rejects.toThrow(reason);
  });

  test('fails when the service is not ready in time, and ends its process', async () => {
    const { service } = serviceOf(`console.log('busy'); ${STAY}`, { readyTimeoutMs: 300 });
    const starting = service.start();
    const identity = await identityOf(service);
    await expect(starting).rejects.toThrow(/tiny did not start: it did not answer in time\..*busy/s);
    await vi.waitFor(async () => expect(await isAlive(identity)).toBe(false));
  });

  test('fails when it is stopped before it is ready', async () => {
    const { service } = serviceOf(STAY);
    const starting = service.start();
    starting.catch(() => undefined);
    await identityOf(service);
    await service.stop();
    await expect(starting).rejects.toThrow('it was stopped before it was ready');
  });

  test('keeps the log of the run before beside the new one', async () => {
    const { service, logFile } = serviceOf(READY_AND_STAY);
    writeFileSync(logFile, 'of the run before');
    await service.start();
    expect(readFileSync(`${logFile}.1`, 'utf8')).toBe('of the run before');
    expect(readFileSync(logFile, 'utf8')).toBe('ready\n');
  });
});

describe.concurrent('a service that is ready', () => {
  test('is started again when its process dies', async () => {
    const { service, statuses } = serviceOf(READY_AND_STAY);
    await service.start();
    const first = await identityOf(service);
    process.kill(first.pid, 'SIGKILL');
    await vi.waitFor(() => expect(service.status()).toMatchObject({ phase: 'ready', restarts: 1 }), {
      timeout: 10_000,
    });
    const second = await identityOf(service);
    expect(second.pid).not.toBe(first.pid);
    expect(await isAlive(second)).toBe(true);
    expect(statuses.map(({ phase }) => phase)).toContain('restarting');
  });

  test('that dies more often than a start may is still kept alive', async () => {
    const home = temporaryDirectory();
    const deaths = join(home, 'deaths');
    const { service } = serviceOf(
      `const fs = require('fs'); fs.appendFileSync(${JSON.stringify(deaths)}, 'x'); console.log('ready');
       if (fs.readFileSync(${JSON.stringify(deaths)}).length <= 2) setTimeout(() => process.exit(1), 300); else ${STAY}`,
    );
    await service.start();
    await vi.waitFor(() => expect(readFileSync(deaths, 'utf8')).toBe('xxx'), { timeout: 10_000 });
    await vi.waitFor(() => expect(service.status()).toMatchObject({ phase: 'ready', restarts: 2 }));
  });
});

describe.concurrent('stopping', () => {
  test('sends the signal of the service and waits until it has ended by itself', async () => {
    const done = join(temporaryDirectory(), 'done');
    const { service } = serviceOf(
      `process.on('SIGINT', () => setTimeout(() => { require('fs').writeFileSync(${JSON.stringify(done)}, 'SIGINT'); process.exit(0); }, 200));
       process.on('SIGTERM', () => process.exit(1)); ${READY_AND_STAY}`,
      { stopSignal: 'SIGINT' },
    );
    await service.start();
    const identity = await identityOf(service);
    await service.stop();
    expect(readFileSync(done, 'utf8')).toBe('SIGINT');
    expect(await isAlive(identity)).toBe(false);
    expect(service.status().phase).toBe('stopped');
  });

  test('kills what does not end within its time', async () => {
    const { service } = serviceOf(`process.on('SIGTERM', () => console.log('no')); ${READY_AND_STAY}`, {
      stopTimeoutMs: 300,
    });
    await service.start();
    const identity = await identityOf(service);
    await service.stop();
    expect(await isAlive(identity)).toBe(false);
    expect(readFileSync(service.spec.logFile, 'utf8')).toContain('no');
  });

  test('while it waits to start the service again, nothing is started any more', async () => {
    const { service } = serviceOf(READY_AND_STAY);
    await service.start();
    const { pid } = await identityOf(service);
    process.kill(pid, 'SIGKILL');
    await vi.waitFor(() => expect(service.status().restarts).toBe(1));
    await service.stop();
    expect(service.status()).toMatchObject({ phase: 'stopped', process: { pid } });
  });

  test('a service that was never started is only called stopped', async () => {
    const { service, logFile } = serviceOf(READY_AND_STAY);
    await service.stop();
    expect(service.status().phase).toBe('stopped');
    expect(existsSync(logFile)).toBe(false);
  });
});

describe('what a service inherits', () => {
  afterEach(() => vi.unstubAllEnvs());

  test('is what a program needs to run, and no key or password of the shell', async () => {
    vi.stubEnv('OPENWEATHERMAP_API_KEY', 'secret');
    vi.stubEnv('PGPASSWORD', 'secret');
    vi.stubEnv('JAVA_HOME', '/opt/java');
    vi.stubEnv('LANG', undefined);
    const { service, logFile } = serviceOf(`console.log(JSON.stringify(process.env)); ${READY_AND_STAY}`, {
      env: { OWN: 'own' },
    });
    await service.start();
    const environment = JSON.parse(readFileSync(logFile, 'utf8').split('\n')[0]!) as Record<string, string>;
    expect(environment).toMatchObject({ OWN: 'own', JAVA_HOME: '/opt/java', PATH: process.env['PATH'] });
    const allowed = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'JAVA_HOME', 'OWN'];
    // macOS adds this one to every process.
    const others = Object.keys(environment).filter((name) => name !== '__CF_USER_TEXT_ENCODING');
    expect(others.filter((name) => !allowed.includes(name))).toEqual([]);
    expect(environment).not.toHaveProperty('LANG');
  });
});
