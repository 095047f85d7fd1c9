/**
 * Decides the next step of a deploy of workers from what Temporal says, the verdicts that are stored and what runs here. Nothing else
 * is remembered: a pass that is repeated, by whichever process, comes to the same step. Carrying it out is `stack/worker-deploys.ts`.
 */

import { taskQueues } from './task-queues.ts';

export const GATES = ['replay', 'start', 'smoke', 'watch'] as const;
export type Gate = (typeof GATES)[number];

export interface GateVerdict {
  readonly passed: boolean;
  /** Why not; empty when it passed. */
  readonly reason: string;
  readonly judgedAtMs: number;
}

/** What is wanted: a deploy goes through the gates, a rollback goes straight back to what has served before. */
export interface DeployWish {
  readonly buildId: string;
  readonly kind: 'deploy' | 'rollback';
  readonly wishedAtMs: number;
}

/**
 * How the server sees a version. `inactive`: it was never current. `draining`: it was, and runs may be pinned to it; a status that
 * the server does not yet specify, just after the demotion, counts as this.
 */
export type VersionStatus = 'unknown' | 'inactive' | 'current' | 'draining' | 'drained';

export interface VersionFacts {
  readonly buildId: string;
  /** Whether its directory is here, so that a worker of it can be started. */
  readonly hasFiles: boolean;
  readonly worker: 'none' | 'starting' | 'ready';
  /** The task queues that no worker of it polls. */
  readonly unpolled: readonly string[];
  readonly status: VersionStatus;
  readonly openRuns: number;
  /** When it was current last; undefined when it never was. */
  readonly lastCurrentMs: number | undefined;
  /** When it ceased to be current. */
  readonly ceasedMs: number | undefined;
  readonly verdicts: Readonly<Partial<Record<Gate, GateVerdict>>>;
}

/** An open run whose workflow task, or an activity that nothing ends, fails again and again. */
export interface StuckRun {
  readonly workflowId: string;
  readonly attempt: number;
  /** The type of the activity; without one it is the workflow task. */
  readonly activity?: string;
}

/** What went wrong on the current version since it is current, until its watch is over. */
export interface WatchedFailures {
  /** Runs that failed or timed out, and how many did so in as long a time as a watch before it. */
  readonly failedRuns: number;
  readonly failedRunsBefore: number;
  readonly stuck: readonly StuckRun[];
}

export interface DeployFacts {
  readonly nowMs: number;
  readonly wish: DeployWish | undefined;
  readonly currentBuild: string | undefined;
  readonly currentSinceMs: number | undefined;
  readonly versions: readonly VersionFacts[];
  readonly failures: WatchedFailures;
  /** How long a version that has become current is watched. */
  readonly watchMs: number;
}

export type DeployStep =
  /** Nothing is wanted that is not so. */
  | { readonly kind: 'rest' }
  | { readonly kind: 'refused'; readonly buildId: string; readonly gate: Gate; readonly reason: string }
  /** The build's directory is gone, so nothing can be done with it. */
  | { readonly kind: 'lost'; readonly buildId: string }
  | { readonly kind: 'verify'; readonly buildId: string }
  | { readonly kind: 'start'; readonly buildId: string }
  | { readonly kind: 'await-pollers'; readonly buildId: string; readonly unpolled: readonly string[] }
  | { readonly kind: 'smoke'; readonly buildId: string }
  | { readonly kind: 'make-current'; readonly buildId: string }
  | { readonly kind: 'watch'; readonly buildId: string; readonly untilMs: number }
  | { readonly kind: 'pass-watch'; readonly buildId: string }
  | { readonly kind: 'fail-watch'; readonly buildId: string; readonly reason: string }
  | { readonly kind: 'roll-back'; readonly buildId: string; readonly from: string };

/** In words, for whoever follows a deploy. */
export const stepSentences: Readonly<Record<DeployStep['kind'], string>> = {
  rest: 'nothing is to be done',
  refused: 'the build is refused',
  lost: 'the directory of the build is gone',
  verify: 'replay gate: histories are replayed by the build',
  start: 'its worker is started beside the others',
  'await-pollers': 'its worker is to poll every task queue',
  smoke: 'smoke gate: a run pinned to it goes through every door',
  'make-current': 'new runs start on it from now on',
  watch: 'failures of workflows and workflow tasks are watched',
  'pass-watch': 'the watch ends',
  'fail-watch': 'more fails than before',
  'roll-back': 'the version before becomes current again',
};

export function nextStep(facts: DeployFacts): DeployStep {
  const { wish, currentBuild } = facts;
  if (wish === undefined) return { kind: 'rest' };
  const { buildId } = wish;
  const failure = refusalOf(facts);
  if (failure !== undefined) {
    const before = currentBuild === buildId ? rollbackTarget(facts) : undefined;
    if (before === undefined) return { kind: 'refused', buildId, ...failure };
    if (before.worker === 'none') return { kind: 'start', buildId: before.buildId };
    return before.worker === 'starting'
      ? { kind: 'await-pollers', buildId: before.buildId, unpolled: [] }
      : { kind: 'roll-back', buildId: before.buildId, from: buildId };
  }
  return currentBuild === buildId ? watchStep(facts, wish) : stepTowards(facts, wish);
}

/** The first gate that the wanted build failed since it is wanted. */
export function refusalOf({ wish, versions }: DeployFacts): { gate: Gate; reason: string } | undefined {
  const verdicts = versions.find(({ buildId }) => buildId === wish?.buildId)?.verdicts ?? {};
  for (const gate of GATES) {
    const verdict = verdicts[gate];
    if (wish !== undefined && verdict?.passed === false && verdict.judgedAtMs >= wish.wishedAtMs)
      return { gate, reason: verdict.reason };
  }
  return undefined;
}

function stepTowards(facts: DeployFacts, { buildId, kind, wishedAtMs }: DeployWish): DeployStep {
  const wanted = facts.versions.find((version) => version.buildId === buildId);
  if (wanted === undefined || !wanted.hasFiles) return { kind: 'lost', buildId };
  const isJudged = (gate: Gate): boolean => (wanted.verdicts[gate]?.judgedAtMs ?? 0) >= wishedAtMs;
  // Where nothing serves there is nothing to protect: a gate that holds would only prolong the outage.
  const isGated = kind === 'deploy' && serving(facts) !== undefined;
  if (isGated && !isJudged('replay')) return { kind: 'verify', buildId };
  if (wanted.worker === 'none') return { kind: 'start', buildId };
  // What has served before does so again, though it may never poll a queue that is newer than it.
  const unpolled =
    kind === 'deploy' ? wanted.unpolled : wanted.unpolled.filter((queue) => queue === taskQueues.control);
  if (wanted.worker === 'starting' || unpolled.length > 0)
    return { kind: 'await-pollers', buildId, unpolled };
  if (isGated && !isJudged('smoke')) return { kind: 'smoke', buildId };
  return { kind: 'make-current', buildId };
}

/**
 * Whether the current version is still to prove itself. What was current when nothing else was is not watched: there is nothing
 * to go back to. What had served before it was wished has nothing to prove either, unless its own watch was cut short by another wish.
 */
export function isWatching(facts: Omit<DeployFacts, 'failures'>): boolean {
  const { wish, currentBuild, currentSinceMs, versions, watchMs } = facts;
  if (wish === undefined || wish.buildId !== currentBuild || wish.kind === 'rollback') return false;
  if (currentSinceMs === undefined) return false;
  const watched = versions.find(({ buildId }) => buildId === currentBuild)?.verdicts.watch;
  if ((watched?.judgedAtMs ?? 0) >= wish.wishedAtMs) return false;
  const isCutShort = watched?.passed !== true && wish.wishedAtMs < currentSinceMs + watchMs;
  return (currentSinceMs >= wish.wishedAtMs || isCutShort) && rollbackTarget(facts) !== undefined;
}

function watchStep(facts: DeployFacts, { buildId }: DeployWish): DeployStep {
  if (!isWatching(facts)) return { kind: 'rest' };
  const reason = breachOf(facts.failures);
  if (reason !== undefined) return { kind: 'fail-watch', buildId, reason };
  const untilMs = (facts.currentSinceMs ?? 0) + facts.watchMs;
  return facts.nowMs >= untilMs ? { kind: 'pass-watch', buildId } : { kind: 'watch', buildId, untilMs };
}

/** Why the version is not left current; undefined as long as it is no worse than the one before. */
export function breachOf({ failedRuns, failedRunsBefore, stuck }: WatchedFailures): string | undefined {
  const [first] = stuck;
  if (first !== undefined)
    return [
      stuckSentence(first),
      ...(stuck.length > 1 ? [`others that hang: ${stuck.length - 1}`] : []),
    ].join('; ');
  if (failedRuns <= failedRunsBefore) return undefined;
  return `${failedRuns} runs failed since it is current; in the same time before it were ${failedRunsBefore}`;
}

/** Why a run does not go on. */
export const stuckSentence = ({ workflowId, attempt, activity }: StuckRun): string =>
  `${activity === undefined ? 'the workflow task' : `the activity ${activity}`} of ${workflowId} has failed ${attempt - 1} times`;

/** The current version, if a worker of it can do its work. */
export function serving({ currentBuild, versions }: DeployFacts): VersionFacts | undefined {
  return versions.find(
    ({ buildId, hasFiles, worker }) => buildId === currentBuild && (hasFiles || worker !== 'none'),
  );
}

/**
 * The version that was current last, of those that can serve and are not known to be bad. One whose own watch was cut short, by a
 * wish for another, is not trusted as long as there is an older one that has proved itself.
 */
export function rollbackTarget({
  currentBuild,
  versions,
  watchMs,
}: Omit<DeployFacts, 'failures'>): VersionFacts | undefined {
  return versions
    .filter(
      ({ buildId, hasFiles, lastCurrentMs, verdicts }) =>
        buildId !== currentBuild &&
        hasFiles &&
        lastCurrentMs !== undefined &&
        verdicts.watch?.passed !== false,
    )
    .sort(
      (a, b) =>
        Number(isProven(b, watchMs)) - Number(isProven(a, watchMs)) ||
        (b.lastCurrentMs ?? 0) - (a.lastCurrentMs ?? 0),
    )[0];
}

/** Times a watch: who has served for so long without having been taken back needs no verdict. */
const PROVEN_AFTER = 5;

/** What went through no gate was the first, or was made current by hand: it has never been watched. */
function isProven(
  { verdicts, lastCurrentMs = 0, ceasedMs = Number.POSITIVE_INFINITY }: VersionFacts,
  watchMs: number,
): boolean {
  const { smoke, watch } = verdicts;
  return smoke === undefined || watch?.passed === true || ceasedMs - lastCurrentMs >= PROVEN_AFTER * watchMs;
}

/** Why the worker of a build runs. */
export type Need = 'current' | 'wanted' | 'to go back to' | 'draining';

const BEFORE_CURRENT: readonly DeployStep['kind'][] = [
  'start',
  'await-pollers',
  'smoke',
  'make-current',
  'roll-back',
];

/** The builds whose workers have to run now, and why; all others may stop. */
export function neededWorkers(facts: DeployFacts): ReadonlyMap<string, Need> {
  const { currentBuild, versions } = facts;
  const step = nextStep(facts);
  const needs = new Map<string, Need>();
  // Also when the server has counted nothing yet: a run that is just starting is not counted.
  for (const { buildId, status, openRuns } of versions)
    if (openRuns > 0 || status === 'draining') needs.set(buildId, 'draining');
  const before = step.kind === 'watch' || step.kind === 'fail-watch' ? rollbackTarget(facts) : undefined;
  if (before !== undefined) needs.set(before.buildId, 'to go back to');
  if (BEFORE_CURRENT.includes(step.kind) && 'buildId' in step) needs.set(step.buildId, 'wanted');
  if (currentBuild !== undefined) needs.set(currentBuild, 'current');
  return needs;
}

export interface DrainingBuild {
  readonly buildId: string;
  readonly openRuns: number;
  /** The runs wait for a worker that cannot be started: somebody has to end them. */
  readonly isLost: boolean;
  /** It drains for longer than a deploy waits before it tells what remains. */
  readonly isOverdue: boolean;
  /** It was not left current: what makes it bad may hold back the very runs that are to leave it. */
  readonly isTakenBack: boolean;
}

/** What is open on builds other than the current one, those first that need somebody's attention. */
export function drainingBuilds(
  { versions, currentBuild, nowMs }: DeployFacts,
  drainMs: number,
): DrainingBuild[] {
  return versions
    .filter(({ buildId, openRuns }) => buildId !== currentBuild && openRuns > 0)
    .map(({ buildId, openRuns, hasFiles, worker, ceasedMs, verdicts }) => ({
      ...{ buildId, openRuns, isTakenBack: verdicts.watch?.passed === false },
      isLost: !hasFiles && worker === 'none',
      isOverdue: ceasedMs !== undefined && nowMs - ceasedMs > drainMs,
    }))
    .sort((a, b) => Number(b.isLost) - Number(a.isLost) || Number(b.isOverdue) - Number(a.isOverdue));
}

/** What somebody is told of runs that nobody can serve any more. */
export const lostSentence = ({ buildId, openRuns }: DrainingBuild): string =>
  `${openRuns} open ${openRuns === 1 ? 'run waits' : 'runs wait'} for build ${buildId}, whose directory is gone: \`npx hourglass workers drain ${buildId} --terminate\` ends ${openRuns === 1 ? 'it' : 'them'}.`;
