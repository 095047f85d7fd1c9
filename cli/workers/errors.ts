/** What the commands of `hourglass workers` refuse, and how a deploy can end badly. */
import { HourglassError } from '../../domain/errors.ts';

/** Thrown when a gate, or the watch, has refused the build. What was current serves on, or serves again. */
export class BuildRefusedError extends HourglassError {
  constructor(buildId: string, gate: string, reason: string, current: string | undefined) {
    super(
      'BUILD_REFUSED',
      `Build ${buildId} is refused by the ${gate} gate; ${current ?? 'nothing'} is current. ${reason}\nOnce that is mended, deploy again.`,
    );
  }
}

/** Thrown when somebody has wished for another build meanwhile. */
export class DeploySupersededError extends HourglassError {
  constructor(buildId: string, wanted: string) {
    super('DEPLOY_SUPERSEDED', `Build ${buildId} is not deployed: build ${wanted} is wanted by now.`);
  }
}

/** Thrown when the supervisor ends while a deploy is followed. The deploy is not lost: the next supervisor goes on with it. */
export class SupervisorGoneError extends HourglassError {
  constructor() {
    super(
      'SUPERVISOR_GONE',
      'The supervisor has ended: start it again with `npx hourglass up`, and it goes on with the deploy.',
      { retryable: true },
    );
  }
}

/** Thrown when no version can serve that has served before. */
export class NothingToRollBackToError extends HourglassError {
  constructor() {
    super(
      'NOTHING_TO_ROLL_BACK_TO',
      'There is no build to roll back to that has been current before and whose directory is here; see `npx hourglass workers versions`.',
    );
  }
}

/** Thrown for a build that is not here. */
export class UnknownBuildError extends HourglassError {
  constructor(buildId: string, known: readonly string[]) {
    super(
      'UNKNOWN_BUILD',
      `There is no build ${buildId} here; there are: ${known.join(', ') || 'none'}. Without an id the build of this checkout is made.`,
    );
  }
}

/** Thrown when the runs of the build that serves would be ended. */
export class StillServedError extends HourglassError {
  constructor(buildId: string) {
    super(
      'STILL_SERVED',
      `Build ${buildId} can still serve its runs: they end by themselves. Say --force to end them nevertheless.`,
    );
  }
}
