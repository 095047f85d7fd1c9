import { afterEach, describe, expect, test } from 'vitest';
import { loadConfig } from '../config/load.ts';
import { temporaryDirectories } from '../tests/support/temporary-directories.ts';
import type { StackContext } from './context.ts';
import { mockService } from './mock.ts';
import { createPortChooser } from './ports.ts';
import { SupervisedService } from './supervisor.ts';

const temporaryDirectory = temporaryDirectories();

const services: SupervisedService[] = [];
afterEach(() => Promise.all(services.splice(0).map((service) => service.stop())));

async function start(environment: Record<string, string>) {
  const dataDir = temporaryDirectory();
  const config = loadConfig({
    environment: { HOURGLASS_DATA_DIR: dataDir, ...environment },
    envFile: `${dataDir}/none`,
  });
  const chooser = createPortChooser();
  const ports = { mock: await chooser.internal(), mockAdmin: await chooser.internal() };
  // The mock is told of nothing else.
  const context = { config, ports, logDir: dataDir } as StackContext;
  const service = new SupervisedService(mockService(context), () => undefined);
  services.push(service);
  await service.start();
  const ask = async (port: number, target: string) => {
    const response = await fetch(`http://127.0.0.1:${port}${target}`);
    return { status: response.status, value: (await response.json()) as unknown };
  };
  return {
    api: (target: string) => ask(ports.mock, target),
    admin: (target: string) => ask(ports.mockAdmin, target),
  };
}

describe('the mock of the stack', () => {
  test('has the faults and the limit that are configured, and is up whatever faults it has', async () => {
    const faults = { outages: [{ cities: [2643743], answer: 'gatewayPage' }], serverError: 1 };
    const mock = await start({ MOCK_FAULTS: JSON.stringify(faults), OPENWEATHERMAP_PLAN: 'startup' });
    expect((await mock.admin('/faults')).value).toEqual(faults);
    expect((await mock.api('/data/2.5/weather?q=Oslo&appid=k')).status).toBe(500);
    expect((await mock.admin('/calls')).value).toMatchObject({ keys: [{ callsPerMinute: 600, total: 1 }] });
  });

  test('has no faults and the limit of the plan "developer" unless told', async () => {
    const mock = await start({});
    expect((await mock.admin('/faults')).value).toEqual({});
    expect((await mock.api('/data/2.5/weather?q=Oslo&appid=k')).status).toBe(200);
    expect((await mock.admin('/calls')).value).toMatchObject({ keys: [{ callsPerMinute: 3_000 }] });
  });

  test('that cannot read its faults says why in the error of the start', async () => {
    await expect(start({ MOCK_FAULTS: '{"serverError":2}' })).rejects.toThrow(
      'The field "serverError" is 2, expected a number from 0 to 1.',
    );
  });
});
