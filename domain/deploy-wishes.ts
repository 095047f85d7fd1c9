/** Decides what a command to deploy or to roll back, or a start of the system, wishes for. What follows of a wish is decided in `deploy-steps.ts`. */
import {
  type DeployFacts,
  nextStep,
  refusalOf,
  rollbackTarget,
  serving,
  type VersionFacts,
} from './deploy-steps.ts';

/** What a command to deploy a build has to do: a deploy that is under way is followed, not begun anew. */
export function wishDecision(facts: DeployFacts, buildId: string): 'attach' | 'is current' | 'record' {
  const { wish, currentBuild } = facts;
  if (wish?.buildId === buildId && refusalOf(facts) === undefined)
    return nextStep(facts).kind === 'rest' ? 'is current' : 'attach';
  return currentBuild === buildId && nextStep(facts).kind === 'rest' ? 'is current' : 'record';
}

export type RollbackDecision =
  | { readonly kind: 'go back'; readonly to: VersionFacts }
  /** Another build was wanted and has not come so far: what is current stays. */
  | { readonly kind: 'give up'; readonly current: VersionFacts }
  /** The other build was refused, or taken back already: to go back once more would be one too far. */
  | { readonly kind: 'stay'; readonly refused: string; readonly further: VersionFacts | undefined }
  | { readonly kind: 'nothing' };

/** What a rollback means that names no build. */
export function rollbackDecision(facts: DeployFacts): RollbackDecision {
  const { wish, currentBuild, versions } = facts;
  const to = rollbackTarget(facts);
  const current = versions.find(({ buildId }) => buildId === currentBuild);
  if (wish !== undefined && wish.buildId !== currentBuild && current !== undefined)
    return refusalOf(facts) === undefined
      ? { kind: 'give up', current }
      : { kind: 'stay', refused: wish.buildId, further: to };
  return to === undefined ? { kind: 'nothing' } : { kind: 'go back', to };
}

export type StartDecision =
  /** The wish that is recorded is gone on with. */
  | { readonly kind: 'go on' }
  | { readonly kind: 'record'; readonly wish: 'deploy' | 'rollback' }
  /** The checkout's build was refused, or rolled back: what is current serves on. */
  | { readonly kind: 'stay'; readonly reason: string };

/** What a start of the system wishes for, whose checkout makes the build `present`. */
export function wishAtStart(facts: DeployFacts, present: string): StartDecision {
  const { wish, currentBuild, versions } = facts;
  const isOnRecord = wish?.buildId === present && refusalOf(facts) === undefined;
  if (isOnRecord) return { kind: 'go on' };
  // A deploy, or a rollback, to another build was under way when the system ended: nobody has given it up.
  if (currentBuild === present)
    return ['rest', 'lost'].includes(nextStep(facts).kind)
      ? { kind: 'record', wish: 'rollback' }
      : { kind: 'go on' };
  // Only what was taken back once it served: the other gates are gone through again, and may find it mended.
  const watched = versions.find(({ buildId }) => buildId === present)?.verdicts.watch;
  if (watched?.passed !== false || serving(facts) === undefined) return { kind: 'record', wish: 'deploy' };
  return { kind: 'stay', reason: watched.reason };
}
