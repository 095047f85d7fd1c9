/** Tells a person, by the configured webhook, of what needs one; the only place from which the system does so. */
import type { z } from 'zod';
import type { AlertWebhook } from '../clients/alert-webhook.ts';
import { HourglassError } from '../domain/errors.ts';
import { type Alert, alertSchema } from '../schemas/alert.ts';

/** Thrown when a workflow asks for a notice that is not as documented. Nothing was sent. */
export class InvalidAlertError extends HourglassError {
  constructor(mistakes: string) {
    super('INVALID_ALERT', `The notice is not as docs/alerts.md says, so it was not sent: ${mistakes}.`);
  }
}

export interface NotifyDeps {
  /** Undefined when none is configured. */
  readonly webhook: AlertWebhook | undefined;
  readonly logger: { warn(details: object, message: string): void };
}

export function createNotifyActivities({ webhook, logger }: NotifyDeps) {
  return {
    /**
     * Delivers the notice; without a webhook it stands in the worker's log. It may be delivered twice, under the same id.
     * @throws InvalidAlertError, AlertNotDeliveredError
     */
    async notify(alert: Alert): Promise<void> {
      const parsed = alertSchema.safeParse(alert);
      if (!parsed.success) throw new InvalidAlertError(mistakesOf(parsed.error));
      if (webhook === undefined) {
        const { status, subject, reason } = parsed.data;
        logger.warn({ alert: parsed.data }, `alert ${status}: ${subject}: ${reason}`);
        return;
      }
      await webhook.deliver(parsed.data);
    },
  };
}

const mistakesOf = ({ issues }: z.ZodError): string =>
  issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');

export type NotifyActivities = ReturnType<typeof createNotifyActivities>;
