/** `hourglass job deploy`: at once through the job's actor, tried without touching the job, or by a candidate beside it. */
import { dryRun } from './dry-run.ts';
import { type SendOptions, sendStateCommand } from './send.ts';
import { type ShadowOptions, shadow } from './shadow.ts';

export interface DeployOptions extends SendOptions, ShadowOptions {
  readonly dryRun?: boolean;
  readonly shadow?: boolean;
}

export function deploy(job: string, options: DeployOptions): Promise<void> {
  const { dryRun: isDryRun, shadow: isShadow, yes: _, acceptDifferences: __, ...plain } = options;
  if (isDryRun) return dryRun(job, options);
  return isShadow ? shadow(job, options) : sendStateCommand('deploy', job, plain);
}
