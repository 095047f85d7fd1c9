/** A receiver of alerts as an operator would run one: remembers each delivery, and answers as a test says. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import type { Alert } from '../../schemas/alert.ts';

export const alert: Alert = {
  status: 'raised',
  id: 'flink-job/weather-stream/job-failing/1764000000000',
  kind: 'job-failing',
  subject: 'flink-job/weather-stream',
  reason: 'connection to the database refused',
  since: '2026-01-01T12:00:00.000Z',
  at: '2026-01-01T12:05:00.000Z',
};

export interface Delivery {
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface AlertReceiver {
  readonly origin: string;
  readonly deliveries: readonly Delivery[];
  close(): Promise<void>;
}

interface ReceiverAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

type Answer = () => ReceiverAnswer | undefined;

/** Ends with the test. */
export async function receiveAlerts(answer?: Answer): Promise<AlertReceiver> {
  const receiver = await startAlertReceiver(answer);
  onTestFinished(receiver.close);
  return receiver;
}

/** `answer` is asked at each delivery; one that gives undefined leaves the sender waiting. */
export async function startAlertReceiver(answer: Answer = () => ({ status: 204 })): Promise<AlertReceiver> {
  const deliveries: Delivery[] = [];
  const server = createServer(async (request, response) => {
    const { method, url: path, headers } = request;
    let body = '';
    for await (const chunk of request) body += String(chunk);
    deliveries.push({ method, path, headers, body });
    const answered = answer();
    if (answered !== undefined) response.writeHead(answered.status, answered.headers).end(answered.body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    deliveries,
    close,
  };
}
