/** Follows a deploy that the supervisor carries out, step by step, to its end. */
import { setTimeout as delay } from 'node:timers/promises';
import type { KnownDeploy } from '../../clients/deploy-facts.ts';
import { type DeployStep, nextStep, stepSentences } from '../../domain/deploy-steps.ts';
import type { Report } from '../../stack/progress.ts';
import { BuildRefusedError, DeploySupersededError, SupervisorGoneError } from './errors.ts';
import { type DeployDoors, isElsewhere, isSupervised } from './known.ts';

export interface FollowedStep {
  readonly step: DeployStep['kind'];
  readonly seconds: number;
}

export interface FollowOptions {
  readonly buildId: string;
  /** Returns when the build is current; the supervisor watches it further. */
  readonly untilCurrent: boolean;
  readonly report: Report;
}

const POLL_MS = 300;

/** @throws BuildRefusedError, DeploySupersededError, SupervisorGoneError, and what the doors throw */
export async function follow(
  { config, know }: DeployDoors,
  { buildId, untilCurrent, report }: FollowOptions,
): Promise<{ readonly steps: readonly FollowedStep[]; readonly known: KnownDeploy }> {
  const steps: FollowedStep[] = [];
  let under: { step: DeployStep['kind']; sinceMs: number } | undefined;
  const say = (step: DeployStep['kind'], status: 'running' | 'done', text: string): void =>
    report({ at: new Date().toISOString(), step, status, text });
  const enter = (step: DeployStep['kind'] | undefined): void => {
    if (under !== undefined && under.step !== step) {
      const seconds = (Date.now() - under.sinceMs) / 1_000;
      steps.push({ step: under.step, seconds });
      say(under.step, 'done', `${stepSentences[under.step]}, ${seconds.toFixed(1)} s`);
    }
    if (under?.step === step) return;
    under = step === undefined ? undefined : { step, sinceMs: Date.now() };
    if (step === undefined) return;
    // Where lines are printed only the begin is; on a terminal it says what is done.
    say(step, 'running', '');
    say(step, 'running', stepSentences[step]);
  };
  for (;;) {
    const known = await know();
    const step = nextStep(known.facts);
    if (known.wish !== undefined && known.wish.buildId !== buildId)
      throw new DeploySupersededError(buildId, known.wish.buildId);
    if (step.kind === 'refused' || step.kind === 'lost') {
      enter(undefined);
      const { gate, reason } = step.kind === 'refused' ? step : { gate: 'start', reason: stepSentences.lost };
      throw new BuildRefusedError(buildId, gate, reason, known.facts.currentBuild);
    }
    const isCurrent = known.facts.currentBuild === buildId;
    if (step.kind === 'rest' || (isCurrent && untilCurrent)) {
      enter(undefined);
      return { steps, known };
    }
    enter(step.kind);
    if (!isElsewhere(config) && !(await isSupervised(config.dataDir))) throw new SupervisorGoneError();
    await delay(POLL_MS);
  }
}
