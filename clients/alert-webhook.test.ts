import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { alert, receiveAlerts } from '../tests/support/alert-receiver.ts';
import { eventually } from '../tests/support/eventually.ts';
import { temporaryDirectories } from '../tests/support/temporary-directories.ts';
import { AlertNotDeliveredError, createAlertWebhook } from './alert-webhook.ts';

const temporaryDirectory = temporaryDirectories();
const TOKEN = 'T0KEN-that-must-stay-secret';
const PATH = `/services/${TOKEN}?key=${TOKEN}`;

/** The failure of a delivery, after it was seen that nothing of the address but its origin stands in it. */
async function failureOf(url: string, timeoutMs?: number): Promise<AlertNotDeliveredError> {
  const webhook = createAlertWebhook({ url, ...(timeoutMs === undefined ? {} : { timeoutMs }) });
  const error = await webhook.deliver(alert).then(
    () => expect.unreachable('the notice was delivered'),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(AlertNotDeliveredError);
  expect(inspect(error, { depth: 20, showHidden: true })).not.toMatch(/T0KEN|services/);
  expect(JSON.stringify(error)).not.toMatch(/T0KEN|services/);
  expect(error).toMatchObject({ code: 'ALERT_NOT_DELIVERED', retryable: true });
  expect(error).toMatchObject({ alertId: alert.id, status: alert.status });
  return error as AlertNotDeliveredError;
}

const notDelivered = (origin: string, reason: string): string =>
  `The notice "raised" about flink-job/weather-stream was not delivered to ${origin}: ${reason}. Check ALERT_WEBHOOK_URL and what listens there.`;

describe('a delivery', () => {
  test.each(['raised', 'resolved'] as const)(
    'of a notice that is %s is a POST of it as JSON',
    async (status) => {
      const { origin, deliveries } = await receiveAlerts();
      await createAlertWebhook({ url: `${origin}${PATH}` }).deliver({ ...alert, status });
      expect(deliveries).toHaveLength(1);
      expect(deliveries[0]).toMatchObject({ method: 'POST', path: PATH });
      expect(JSON.parse(deliveries[0]!.body)).toEqual({ ...alert, status });
      expect(deliveries[0]!.headers).toMatchObject({
        'content-type': 'application/json',
        'idempotency-key': `flink-job/weather-stream/job-failing/1764000000000/${status}`,
      });
      expect(deliveries[0]!.headers).not.toHaveProperty('authorization');
    },
  );

  test.each([200, 201, 202, 204])('is done when the receiver answers %i', async (status) => {
    const { origin, deliveries } = await receiveAlerts(() => ({ status }));
    await expect(createAlertWebhook({ url: origin }).deliver(alert)).resolves.toBeUndefined();
    expect(deliveries).toHaveLength(1);
  });

  test('gives a user and password of the address as basic authentication', async () => {
    const { origin, deliveries } = await receiveAlerts();
    const url = origin.replace('//', '//ops%40example:100%25%zz@');
    await createAlertWebhook({ url }).deliver(alert);
    const sent = Buffer.from('ops@example:100%%zz').toString('base64');
    expect(deliveries[0]!.headers.authorization).toBe(`Basic ${sent}`);
  });
});

describe('a delivery that fails', () => {
  test.each([400, 404, 429, 500, 503])('says that the receiver answered %i', async (status) => {
    const { origin } = await receiveAlerts(() => ({ status, body: `no such hook: ${PATH}` }));
    expect((await failureOf(`${origin}${PATH}`)).message).toBe(notDelivered(origin, `it answered ${status}`));
  });

  test('does not follow a redirect, which would carry the notice elsewhere', async () => {
    const elsewhere = await receiveAlerts();
    const headers = { location: `${elsewhere.origin}${PATH}` };
    const { origin } = await receiveAlerts(() => ({ status: 307, headers }));
    expect((await failureOf(`${origin}${PATH}`)).message).toBe(notDelivered(origin, 'it answered 307'));
    expect(elsewhere.deliveries).toEqual([]);
  });

  test('waits for a receiver that does not answer only so long', async () => {
    const { origin, deliveries } = await receiveAlerts(() => undefined);
    const { message } = await failureOf(`${origin}${PATH}`, 200);
    expect(message).toBe(notDelivered(origin, 'no answer within 0.2 s'));
    expect(deliveries.length).toBeLessThanOrEqual(1);
  });

  test('names the reason when nothing listens at the address', async () => {
    const { origin, close } = await receiveAlerts();
    await close();
    const reason = `connect ECONNREFUSED ${origin.replace('http://', '')}`;
    expect((await failureOf(`${origin}${PATH}`)).message).toBe(notDelivered(origin, reason));
  });

  test('shows neither user nor password of the address', async () => {
    const { origin } = await receiveAlerts(() => ({ status: 401 }));
    const { message } = await failureOf(origin.replace('//', `//services:${TOKEN}@`));
    expect(message).toBe(notDelivered(origin, 'it answered 401'));
  });

  test('shows nothing of an address that the runtime refuses', async () => {
    // Port 1 is one of those that no fetch may ask.
    const { message } = await failureOf(`http://127.0.0.1:1${PATH}`);
    expect(message).toBe(notDelivered('http://127.0.0.1:1', 'bad port'));
  });
});

/** Runs the receiver of docs/alerts.md as it stands there; what it prints is collected. */
async function startDocumentedReceiver() {
  const page = readFileSync(new URL('../docs/alerts.md', import.meta.url), 'utf8');
  const [, program = ''] = /^```js\n(.*?)^```/ms.exec(page) ?? [];
  const file = join(temporaryDirectory(), 'receiver.mjs');
  writeFileSync(file, program);
  const { origin, close } = await receiveAlerts();
  await close();
  const receiver = spawn(process.execPath, [file], { env: { PORT: new URL(origin).port } });
  const printed: string[] = [];
  for (const stream of [receiver.stdout, receiver.stderr])
    stream.on('data', (text) => printed.push(String(text)));
  onTestFinished(async () => {
    receiver.kill();
    if (receiver.exitCode === null && receiver.signalCode === null) await once(receiver, 'exit');
  });
  return { origin, printed };
}

test('the receiver of docs/alerts.md prints what it is sent', async () => {
  const { origin, printed } = await startDocumentedReceiver();
  const webhook = createAlertWebhook({ url: origin });
  await eventually(
    'the receiver takes the notice',
    async () => {
      await webhook.deliver(alert);
      return true;
    },
    Boolean,
    { withinMs: 20_000, everyMs: 50 },
  );
  await eventually(
    'the receiver prints the notice',
    async () => printed.join(''),
    (text) => text.includes('\n'),
  );
  expect(printed.join('')).toBe(
    'raised job-failing of flink-job/weather-stream: connection to the database refused\n',
  );
});
