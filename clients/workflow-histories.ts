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

export interface AskedHistories {
  readonly types: readonly string[];
  readonly longLived: readonly string[];
  /** Runs of each type. */
  readonly most: number;
  /** Told, in a sentence, of each thing that is not fetched though it is open or among the newest. */
  readonly leaveOut: (sentence: string) => void;
}

/** The newest runs of each type, and the open runs of those that are long-lived, the newest first; each once. */
export async function* newestHistories(
  client: Client,
  { types, longLived, most, leaveOut }: AskedHistories,
): AsyncGenerator<FetchedHistory> {
  const seen = new Set<string>();
  const mostOpen = Math.max(most, MOST_OPEN);
  const queries = [
    ...types.map((type) => ({ query: `WorkflowType = '${type}'`, limit: most })),
    ...longLived.map((type) => ({ query: openOf(type), limit: mostOpen })),
  ];
  for (const type of longLived) {
    const { count } = await client.workflow.count(openOf(type));
    if (count > mostOpen) leaveOut(`Of ${count} open runs of ${type} the newest ${mostOpen} are replayed.`);
  }
  for (const { query, limit } of queries) {
    let taken = 0;
    for await (const run of client.workflow.list({ query })) {
      if (taken === limit) break;
      taken += 1;
      if (seen.has(run.runId)) continue;
      seen.add(run.runId);
      if ((run.historyLength ?? 0) > MOST_EVENTS) {
        leaveOut(`${run.type} (run ${run.workflowId}) is not replayed: it has ${run.historyLength} events.`);
        continue;
      }
      const { type, workflowId, runId, status, raw } = run;
      const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
      const isOpen = status.name === 'RUNNING';
      const mayMove = isOpen && raw.versioningInfo?.behavior === AUTO_UPGRADE;
      yield { type, workflowId, runId, isOpen, mayMove, history };
    }
  }
}

const MOST_OPEN = 20;

const openOf = (type: string): string => `WorkflowType = '${type}' AND ExecutionStatus = 'Running'`;

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
