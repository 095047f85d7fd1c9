/** `hourglass job deploy`: at once through the job's actor, tried without touching the job, or by a candidate beside it. */
import { UsageError } from '../usage-error.ts';
import { dryRun } from './dry-run.ts';
import { type SendOptions, sendStateCommand } from './send.ts';
import { type ShadowOptions, shadow } from './shadow.ts';

export interface DeployOptions extends SendOptions, ShadowOptions {
  readonly dryRun?: boolean;
  readonly shadow?: boolean;
}

/** Thrown for options that only a shadow upgrade knows. Nothing was asked of the job. */
class OnlyWithShadowError extends UsageError {
  constructor(job: string, options: readonly string[]) {
    super(
      'ONLY_WITH_SHADOW',
      `\`job deploy ${job}\` was not sent: ${options.join(' and ')} go with --shadow alone.`,
    );
  }
}

/** @throws OnlyWithShadowError, and what the way that was chosen throws */
export async function deploy(job: string, options: DeployOptions): Promise<void> {
  const { dryRun: isDryRun, shadow: isShadow, yes, acceptDifferences, ...plain } = options;
  if (isShadow) return shadow(job, options);
  const misplaced = [
    ...(yes === undefined ? [] : ['--yes']),
    ...(acceptDifferences === undefined ? [] : ['--accept-differences']),
  ];
  if (misplaced.length > 0) throw new OnlyWithShadowError(job, misplaced);
  return isDryRun ? dryRun(job, options) : sendStateCommand('deploy', job, plain);
}
