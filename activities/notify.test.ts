import { ApplicationFailure } from '@temporalio/common';
import { describe, expect, test } from 'vitest';
import { createAlertWebhook } from '../clients/alert-webhook.ts';
import type { Alert } from '../schemas/alert.ts';
import { alert, receiveAlerts } from '../tests/support/alert-receiver.ts';
import { withFailures } from './errors.ts';
import { createNotifyActivities, InvalidAlertError } from './notify.ts';

/** The activity as a worker has it, and what it logs. */
function notifierOf(url: string | undefined) {
  const logged: [object, string][] = [];
  const { notify } = createNotifyActivities({
    webhook: url === undefined ? undefined : createAlertWebhook({ url }),
    logger: { warn: (details, message) => logged.push([details, message]) },
  });
  return { notify, logged };
}

describe('notify', () => {
  test('delivers the notice that raises and the one that resolves, and logs neither', async () => {
    const { origin, deliveries } = await receiveAlerts();
    const { notify, logged } = notifierOf(`${origin}/hook`);
    const resolved: Alert = { ...alert, status: 'resolved', at: '2026-01-01T12:30:00.000Z' };
    await notify(alert);
    await notify(resolved);
    expect(deliveries.map(({ body }) => JSON.parse(body))).toEqual([alert, resolved]);
    expect(logged).toEqual([]);
  });

  test('without a webhook logs the notice as a warning, and succeeds', async () => {
    const { notify, logged } = notifierOf(undefined);
    await expect(notify(alert)).resolves.toBeUndefined();
    expect(logged).toEqual([
      [{ alert }, 'alert raised: flink-job/weather-stream: connection to the database refused'],
    ]);
  });

  test('fails as one that may be tried again when the receiver does, without the address', async () => {
    const { origin } = await receiveAlerts(() => ({ status: 500 }));
    const { notify } = notifierOf(`${origin}/T0KEN`);
    const failure = await withFailures({ notify })
      .notify(alert)
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ApplicationFailure);
    expect(failure).toMatchObject({ type: 'ALERT_NOT_DELIVERED', nonRetryable: false });
    expect((failure as Error).message).toContain(`${origin}: it answered 500.`);
    expect(JSON.stringify(failure)).not.toContain('T0KEN');
  });

  test('refuses a notice that is not as documented, names each mistake, and sends nothing', async () => {
    const { origin, deliveries } = await receiveAlerts();
    const { notify } = notifierOf(origin);
    const wrong = { ...alert, status: 'over', since: 'yesterday' } as unknown as Alert;
    const error = await notify(wrong).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(InvalidAlertError);
    expect(error).toMatchObject({ code: 'INVALID_ALERT', retryable: false });
    expect((error as Error).message).toMatch(/status: .*; since: /);
    expect(deliveries).toEqual([]);
  });
});
