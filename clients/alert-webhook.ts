/** The door to the alert webhook: one POST for each notice. The address carries tokens: only its origin is ever shown. */
import querystring from 'node:querystring';
import { HourglassError, reasonOf } from '../domain/errors.ts';
import type { Alert } from '../schemas/alert.ts';
import { createRedactor, redactedCause } from './redaction.ts';

const TIMEOUT_MS = 10_000;

/** Thrown when the receiver did not confirm a notice. It does not mean that the notice did not arrive: the answer may be what was lost. */
export class AlertNotDeliveredError extends HourglassError {
  readonly alertId: string;
  readonly status: Alert['status'];

  constructor({ id, status, subject }: Alert, origin: string, reason: string, cause?: unknown) {
    super(
      'ALERT_NOT_DELIVERED',
      `The notice "${status}" about ${subject} was not delivered to ${origin}: ${reason}. Check ALERT_WEBHOOK_URL and what listens there.`,
      { retryable: true, cause },
    );
    this.alertId = id;
    this.status = status;
  }
}

export interface AlertWebhook {
  /** Returns when the receiver has answered 2xx. @throws AlertNotDeliveredError */
  deliver(alert: Alert): Promise<void>;
}

export interface AlertWebhookOptions {
  /** http or https. A user and password in it are sent as basic authentication. */
  readonly url: string;
  /** How long one delivery may take, in milliseconds. */
  readonly timeoutMs?: number;
}

/** Throws a TypeError when `url` is no URL. Holds no connection and no state: it needs no closing. */
export function createAlertWebhook({ url, timeoutMs = TIMEOUT_MS }: AlertWebhookOptions): AlertWebhook {
  const { target, authorization } = splitCredentials(url);
  const { origin } = target;
  const redact = redactorOf(url);
  return {
    async deliver(alert) {
      const response = await fetch(target, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'idempotency-key': `${alert.id}/${alert.status}`,
          ...authorization,
        },
        body: JSON.stringify(alert),
        // Followed, a redirect would hand the notice, or the token, to another address than the configured one.
        redirect: 'manual',
        signal: AbortSignal.timeout(timeoutMs),
      }).catch((error: Error) => {
        const reason =
          error.name === 'TimeoutError'
            ? `no answer within ${timeoutMs / 1_000} s`
            : redact(reasonOf(error.cause ?? error));
        throw new AlertNotDeliveredError(alert, origin, reason, redactedCause(error, redact));
      });
      // What it says is not read, as it may repeat the token, but would hold the connection. The status is there already, so a
      // body that breaks off tells nothing more.
      await response.body?.cancel().catch(() => undefined);
      if (!response.ok) throw new AlertNotDeliveredError(alert, origin, `it answered ${response.status}`);
    },
  };
}

/** `fetch` refuses an address with a user in it, and names the whole address when it does. */
function splitCredentials(url: string): { target: URL; authorization: Record<string, string> } {
  const target = new URL(url);
  const { username, password } = target;
  if (username === '' && password === '') return { target, authorization: {} };
  target.username = '';
  target.password = '';
  const credentials = Buffer.from(`${decoded(username)}:${decoded(password)}`);
  return { target, authorization: { authorization: `Basic ${credentials.toString('base64')}` } };
}

/** Unlike decodeURIComponent it never throws: a percent sign that encodes nothing is itself. */
const decoded = (text: string): string => querystring.unescape(text);

/** Takes every part of the address but its origin out of a text. */
function redactorOf(url: string): (text: string) => string {
  const { href, pathname, search, username, password } = new URL(url);
  const secrets = [url, href, `${pathname}${search}`, username, password].filter(({ length }) => length > 1);
  const redactors = secrets.map(createRedactor);
  return (text) => redactors.reduce((result, redact) => redact(result), text);
}
