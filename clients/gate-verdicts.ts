/** The door to what is stored of deploys: which build is wanted, and what its gates have said. What follows is decided in `domain/deploy-steps.ts`. */
import type { DeployWish, Gate, GateVerdict } from '../domain/deploy-steps.ts';
import { deploymentName } from '../domain/task-queues.ts';
import type { Queries } from './postgres.ts';

export interface StoredVerdict extends GateVerdict {
  readonly buildId: string;
  readonly gate: Gate;
  /** What the gate has found besides; its form is the gate's own. */
  readonly details: unknown;
}

export interface StoredWish extends DeployWish {
  /** Workflow types of which an incompatible history does not refuse the build. */
  readonly acceptedTypes: readonly string[];
}

interface VerdictRow {
  readonly build_id: string;
  readonly gate: Gate;
  readonly passed: boolean;
  readonly reason: string;
  readonly details: unknown;
  readonly judged_at: Date;
}

interface WishRow {
  readonly build_id: string;
  readonly kind: DeployWish['kind'];
  readonly accepted_types: readonly string[];
  readonly wished_at: Date;
}

/** All that were ever given, the oldest first; of each gate of a build the last. */
export async function gateVerdicts(database: Queries): Promise<readonly StoredVerdict[]> {
  const rows = await database.query<VerdictRow>('gate-verdicts');
  return rows.map(({ build_id: buildId, gate, passed, reason, details, judged_at }) => ({
    ...{ buildId, gate, passed, reason, details },
    judgedAtMs: judged_at.getTime(),
  }));
}

export async function recordVerdict(
  database: Queries,
  { buildId, gate, passed, reason = '', details = {} }: NewVerdict,
): Promise<void> {
  await database.query('record-gate-verdict', [buildId, gate, passed, reason, JSON.stringify(details)]);
}

export interface NewVerdict {
  readonly buildId: string;
  readonly gate: Gate;
  readonly passed: boolean;
  readonly reason?: string;
  readonly details?: unknown;
}

export async function workerWish(database: Queries): Promise<StoredWish | undefined> {
  const [row] = await database.query<WishRow>('worker-wish', [deploymentName]);
  if (row === undefined) return undefined;
  const { build_id: buildId, kind, accepted_types: acceptedTypes, wished_at } = row;
  return { buildId, kind, acceptedTypes, wishedAtMs: wished_at.getTime() };
}

/** From now on this build is wanted; verdicts that were given before do not count for it. */
export async function recordWish(
  database: Queries,
  { buildId, kind, acceptedTypes = [] }: Pick<DeployWish, 'buildId' | 'kind'> & Partial<StoredWish>,
): Promise<void> {
  await database.query('record-worker-wish', [deploymentName, buildId, kind, acceptedTypes]);
}
