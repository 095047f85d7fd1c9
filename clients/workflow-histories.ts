/** The door to what runs have done: the histories that a replay gate replays, and what runs carry over. */
import type { Client } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { jobActorId } from '../domain/identities.ts';
import { jobMessages } from '../schemas/job.ts';

/** As the client decodes it: the protocol's own form. */
export type History = Awaited<ReturnType<ReturnType<Client['workflow']['getHandle']>['fetchHistory']>>;

export interface FetchedHistory {
  readonly type: string;
  readonly workflowId: string;
  readonly runId: string;
  readonly isOpen: boolean;
  /** Whether its next workflow task may go to another build's worker. */
  readonly mayMove: boolean;
  readonly history: History;
}

/** As the server numbers it. */
const AUTO_UPGRADE = 2;
/** A longer one is fetched in many pages, and replayed for long; shorter ones of its type do what it does. */
const MOST_EVENTS = 10_000;

/** The newest runs of each type, and every open run of those that are long-lived; each once. */
export async function* newestHistories(
  client: Client,
  { types, longLived, most }: { types: readonly string[]; longLived: readonly string[]; most: number },
): AsyncGenerator<FetchedHistory> {
  const seen = new Set<string>();
  const queries = [
    ...types.map((type) => ({ query: `WorkflowType = '${type}'`, limit: most })),
    ...longLived.map((type) => ({
      query: `WorkflowType = '${type}' AND ExecutionStatus = 'Running'`,
      limit: Math.max(most, MOST_OPEN),
    })),
  ];
  for (const { query, limit } of queries) {
    let taken = 0;
    for await (const run of client.workflow.list({ query })) {
      if (taken === limit) break;
      taken += 1;
      if (seen.has(run.runId) || (run.historyLength ?? 0) > MOST_EVENTS) continue;
      seen.add(run.runId);
      const { type, workflowId, runId, status, raw } = run;
      const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
      const isOpen = status.name === 'RUNNING';
      const mayMove = isOpen && raw.versioningInfo?.behavior === AUTO_UPGRADE;
      yield { type, workflowId, runId, isOpen, mayMove, history };
    }
  }
}

const MOST_OPEN = 20;

/** Event types, as the server numbers them. */
type Payloads = { readonly payloads?: readonly unknown[] | null } | null | undefined;

/** What a history says was carried over: the input of a run that goes on from another, and what it left to the next. */
export function carriedBy({ events }: History): readonly unknown[] {
  const [first] = events ?? [];
  const last = events?.at(-1);
  const started = first?.workflowExecutionStartedEventAttributes;
  const inputs: Payloads[] = [
    started?.continuedExecutionRunId ? started.input : undefined,
    last?.workflowExecutionContinuedAsNewEventAttributes?.input,
  ];
  return inputs.flatMap((input) => {
    const [payload] = input?.payloads ?? [];
    return payload == null ? [] : [defaultPayloadConverter.fromPayload(payload)];
  });
}

const STATUS_DEADLINE_MS = 5_000;

/** What the actor of a job would carry over now. @returns undefined when it has no actor, or none that answers */
export async function stateOfActor(client: Client, job: string): Promise<unknown> {
  const handle = client.workflow.getHandle(jobActorId(job));
  return client
    .withDeadline(Date.now() + STATUS_DEADLINE_MS, () => handle.query(jobMessages.status))
    .catch(() => undefined);
}
