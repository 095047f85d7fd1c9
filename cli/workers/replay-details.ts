/** What the replay gate leaves with its verdict, and how it is found again. */
import type { StoredVerdict } from '../../clients/gate-verdicts.ts';
import type { ReplayJudgement } from '../../domain/replay-report.ts';

export interface ReplayDetails extends ReplayJudgement {
  /** How many histories of the project, histories of the server and carried states were tried. */
  readonly project: number;
  readonly server: number;
  readonly states: number;
}

/** What the last replay gate of a build has found; undefined when there was none, or it could not be carried out. */
export function detailsOf(verdicts: readonly StoredVerdict[], buildId: string): ReplayDetails | undefined {
  const found = verdicts.find((verdict) => verdict.buildId === buildId && verdict.gate === 'replay');
  const details = found?.details as Partial<ReplayDetails> | undefined;
  return details?.notes === undefined ? undefined : (details as ReplayDetails);
}
