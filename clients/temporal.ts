/** The door to Temporal: a connected client, the namespace, and the versions of the worker deployment. */

import { setTimeout as delay } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { HourglassError, reasonOf } from '../domain/errors.ts';

const RETENTION_SECONDS = 30 * 24 * 3_600;
const GRPC = { notFound: 5, alreadyExists: 6 } as const;

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

/** Registers the namespace, with 30 days' retention, when it does not exist, and returns when it can be used. */
export async function ensureNamespace(client: Client): Promise<void> {
  const { namespace } = client.options;
  const service = client.workflowService;
  const retention = { seconds: RETENTION_SECONDS as never };
  await service
    .registerNamespace({ namespace, workflowExecutionRetentionPeriod: retention })
    .catch((error) => {
      if (error.code !== GRPC.alreadyExists) throw error;
    });
  const deadline = Date.now() + 60_000;
  for (;;) {
    try {
      // Each service of the server learns of a namespace in its own time: it is usable when it can be searched and polled.
      await service.listWorkflowExecutions({ namespace, pageSize: 1 });
      await service.listSchedules({ namespace, maximumPageSize: 1 });
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await delay(250);
    }
  }
}

export interface DeploymentVersion {
  readonly deploymentName: string;
  readonly buildId: string;
}

/** The task queues that workers of the version have polled; none when the server does not know the version yet. */
export async function polledTaskQueues(
  client: Client,
  version: DeploymentVersion,
): Promise<readonly string[]> {
  try {
    const { workerDeploymentVersionInfo } = await client.workflowService.describeWorkerDeploymentVersion({
      namespace: client.options.namespace,
      deploymentVersion: version,
    });
    return (workerDeploymentVersionInfo?.taskQueueInfos ?? []).flatMap(({ name }) => (name ? [name] : []));
  } catch (error) {
    // A version that exists has been reported as not found just after its first poll: both mean "ask again".
    if ((error as { code?: number }).code === GRPC.notFound) return [];
    throw error;
  }
}

/** New runs start on this version from now on. Setting the version that is current changes nothing. */
export async function makeCurrent(
  client: Client,
  { deploymentName, buildId }: DeploymentVersion,
): Promise<void> {
  await client.workflowService.setWorkerDeploymentCurrentVersion({
    namespace: client.options.namespace,
    deploymentName,
    buildId,
    ignoreMissingTaskQueues: true,
    identity: 'hourglass',
  });
}

/** How many runs are open on a version: pinned ones need its workers. */
export async function openRuns(
  client: Client,
  { deploymentName, buildId }: DeploymentVersion,
): Promise<number> {
  const { count } = await client.workflow.count(
    `TemporalWorkerDeploymentVersion = '${deploymentName}:${buildId}' AND ExecutionStatus = 'Running'`,
  );
  return count;
}
