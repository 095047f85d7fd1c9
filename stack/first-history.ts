/** Has the hours before a pipeline's first start loaded by a backfill, and then judged, so that there is something to look at; later starts load nothing by themselves. */
import type { Client } from '@temporalio/client';
import { BackfillFailedError, type BackfillRun, startBackfill } from '../clients/backfill-control.ts';
import { type CheckRequest, startCheck } from '../clients/completeness-control.ts';
import { connectDatabase, type PostgresOptions } from '../clients/postgres.ts';
import { backfillId } from '../domain/backfill-identities.ts';
import { HOUR_MS } from '../domain/backfill-windows.ts';
import { tablesOf } from '../pipelines/index.ts';
import { type BackfillRequest, backfillRequestSchema } from '../schemas/backfill.ts';

export interface FirstHistory {
  readonly request: BackfillRequest;
  /** As many as the registry has. */
  readonly locations: number;
}

/**
 * Asked before anything flows: a pipeline's tables are only empty once.
 * @param hours how many of them; none for 0
 * @returns undefined when nothing is to be loaded
 */
export async function firstHistoryOf(
  options: PostgresOptions,
  { pipeline, hours, now }: { readonly pipeline: string; readonly hours: number; readonly now: Date },
): Promise<FirstHistory | undefined> {
  if (hours === 0) return undefined;
  const database = connectDatabase({ ...options, connections: 1 }, tablesOf);
  try {
    const [known] = await database.query<{ is_empty: boolean; locations: number }>(
      'first-start',
      [pipeline],
      pipeline,
    );
    if (known === undefined || !known.is_empty || known.locations === 0) return undefined;
    return { request: requestOf(pipeline, hours, now), locations: known.locations };
  } finally {
    await database.close();
  }
}

/** The last hours that are over. */
function requestOf(pipeline: string, hours: number, now: Date): BackfillRequest {
  const end = Math.floor(now.getTime() / HOUR_MS) * HOUR_MS;
  return backfillRequestSchema.parse({
    pipeline,
    from: new Date(end - hours * HOUR_MS).toISOString(),
    to: new Date(end).toISOString(),
    reason: 'the hours before the first start',
  });
}

export async function loadFirstHistory(client: Client, { request }: FirstHistory): Promise<BackfillRun> {
  // The first of its kind, as nothing is on record; the workflow plans it.
  return startBackfill(client, { id: backfillId(request, 1), request, input: request });
}

/** What is told of it. */
export function loadingText({ request, locations }: FirstHistory): string {
  const hours = (Date.parse(request.to) - Date.parse(request.from)) / HOUR_MS;
  return `the last ${hours} hours of ${locations} locations are being loaded (\`npx hourglass backfill show ${backfillId(request, 1)}\`)`;
}

/**
 * Starts a check of these hours when they are loaded, so that the map of verdicts is filled before the first hourly check. That one judges
 * them, too: nothing is lost with a check that never started.
 */
export async function judgeFirstHistory(
  client: Client,
  { request: { pipeline, from, to } }: FirstHistory,
  loading: Pick<BackfillRun, 'ended'>,
  scope: Pick<CheckRequest, 'source' | 'shards'>,
): Promise<void> {
  try {
    await loading.ended();
  } catch (error) {
    // What could not be loaded is what a check finds, and has repaired.
    if (!(error instanceof BackfillFailedError)) throw error;
  }
  await startCheck(client, { ...scope, pipeline, from, to });
}

/** For whoever is told that it could not be begun. */
export const byHand = ({ request: { pipeline, from, to } }: FirstHistory): string =>
  `npx hourglass backfill start --pipeline ${pipeline} --from ${from} --to ${to}`;
