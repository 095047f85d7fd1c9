/** The door to Temporal: a connected client, and the namespace with its search attributes. */

import { setTimeout as delay } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { HourglassError, reasonOf } from '../domain/errors.ts';
import { searchAttributes } from '../domain/search-attributes.ts';

const RETENTION_SECONDS = 30 * 24 * 3_600;
const GRPC = { alreadyExists: 6 } as const;
const USABLE_WITHIN_MS = 60_000;

/** The server's names of the types of search attributes, at their numbers. */
const TYPES = ['Unspecified', 'Text', 'Keyword', 'Int', 'Double', 'Bool', 'Datetime', 'KeywordList'] as const;
const KEYWORD = TYPES.indexOf('Keyword');

/** Thrown when no Temporal server answers at the address. */
export class TemporalUnreachableError extends HourglassError {
  constructor(address: string, cause: unknown) {
    super(
      'TEMPORAL_UNREACHABLE',
      `Temporal at ${address} does not answer: ${reasonOf(cause)}. See \`npx hourglass status\`.`,
      {
        retryable: true,
        cause,
      },
    );
  }
}

/** @throws TemporalUnreachableError */
export async function connectTemporal(address: string, namespace: string): Promise<Client> {
  const connection = await Connection.connect({ address, connectTimeout: '10s' }).catch((error) => {
    throw new TemporalUnreachableError(address, error);
  });
  return new Client({ connection, namespace });
}

/** Thrown when the namespace has a search attribute of ours with another type, or refuses to have it. */
export class SearchAttributesError extends HourglassError {
  constructor(namespace: string, what: string, remedy: string, cause?: unknown) {
    super(
      'SEARCH_ATTRIBUTES',
      `The Temporal namespace ${namespace} cannot be searched as Hourglass needs it: ${what}. ${remedy}`,
      { cause },
    );
  }
}

/**
 * Registers the namespace, with 30 days' retention, and our search attributes, where they do not exist; returns when all can
 * be used. @throws SearchAttributesError
 */
export async function ensureNamespace(client: Client): Promise<void> {
  const { namespace } = client.options;
  const service = client.workflowService;
  const retention = { seconds: RETENTION_SECONDS as never };
  await service
    .registerNamespace({ namespace, workflowExecutionRetentionPeriod: retention })
    .catch((error) => {
      if (error.code !== GRPC.alreadyExists) throw error;
    });
  await untilAnswered(async () => {
    // Each service of the server learns of a namespace in its own time: it is usable when it can be searched and polled.
    await service.listWorkflowExecutions({ namespace, pageSize: 1 });
    await service.listSchedules({ namespace, maximumPageSize: 1 });
  });
  await ensureSearchAttributes(client);
}

async function ensureSearchAttributes(client: Client): Promise<void> {
  const { namespace } = client.options;
  const { operatorService } = client.connection;
  const wanted = Object.values(searchAttributes).map(({ name }) => name);
  const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
  // The server would say nothing to a second registration with another type, and refuse our workflows later.
  const other = wanted.find((name) => (customAttributes[name] ?? KEYWORD) !== KEYWORD);
  if (other !== undefined) {
    const type = TYPES[customAttributes[other] ?? 0];
    throw new SearchAttributesError(
      namespace,
      `its search attribute ${other} is of type ${type}, not Keyword`,
      `Remove it (temporal operator search-attribute remove --namespace ${namespace} --name ${other}), or set TEMPORAL_NAMESPACE to another.`,
    );
  }
  const missing = wanted.filter((name) => !(name in customAttributes));
  // Nothing is asked of an operator who has made them: a managed Temporal may allow no one else to.
  if (missing.length > 0) await registerSearchAttributes(client, missing);
  await untilAnswered(() => client.workflow.count(wanted.map((name) => `${name} = ''`).join(' OR ')));
}

async function registerSearchAttributes(client: Client, names: readonly string[]): Promise<void> {
  const { namespace } = client.options;
  const attributes = Object.fromEntries(names.map((name) => [name, KEYWORD]));
  try {
    await client.connection.operatorService.addSearchAttributes({ namespace, searchAttributes: attributes });
  } catch (error) {
    const { code, details } = error as { code?: number; details?: string };
    // Somebody else was faster.
    if (code === GRPC.alreadyExists) return;
    const flags = names.map((name) => `--name ${name} --type Keyword`).join(' ');
    throw new SearchAttributesError(
      namespace,
      `the server refuses ${names.join(', ')}: ${(details ?? reasonOf(error)).replace(/\.$/, '')}`,
      `Have them made by somebody who may (temporal operator search-attribute create --namespace ${namespace} ${flags}), or set TEMPORAL_NAMESPACE to another.`,
      error,
    );
  }
}

/** Asks again until the server answers, whatever it says before: it is only not yet so far. @throws its last refusal */
async function untilAnswered(ask: () => Promise<unknown>): Promise<void> {
  const deadline = Date.now() + USABLE_WITHIN_MS;
  for (;;) {
    try {
      await ask();
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await delay(250);
    }
  }
}
