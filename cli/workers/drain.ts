/** `hourglass workers drain`: what is still open on builds that are no longer current, and the end of what nobody can serve. */
import { setTimeout as delay } from 'node:timers/promises';
import { type OpenRun, openRunsOf, terminateRuns } from '../../clients/worker-deployments.ts';
import { drainingBuilds } from '../../domain/deploy-steps.ts';
import { isConfirmed } from '../confirm.ts';
import { renderTable } from '../table.ts';
import { StillServedError } from './errors.ts';
import { type DeployDoors, withDeploy } from './known.ts';

export interface DrainOptions {
  /** Returns when nothing is open any more. */
  readonly wait?: boolean;
  readonly terminate?: boolean;
  readonly force?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

interface Remaining extends OpenRun {
  readonly buildId: string;
}

const MOST_SHOWN = 50;
const POLL_MS = 1_000;

export async function drain(named: string | undefined, options: DrainOptions): Promise<void> {
  await withDeploy(async (doors) => {
    const ended = options.terminate ? await endRuns(doors, named, options) : 0;
    let remaining = await remainingRuns(doors, named);
    while (options.wait && remaining.length > 0) {
      await delay(POLL_MS);
      remaining = await remainingRuns(doors, named);
    }
    console.log(
      options.json ? JSON.stringify({ ended, remaining }, undefined, 2) : describe(ended, remaining),
    );
  });
}

async function remainingRuns(
  { client, config, know }: DeployDoors,
  named: string | undefined,
): Promise<Remaining[]> {
  const builds = drainingBuilds((await know()).facts, config.values.DEPLOY_DRAIN_SECONDS * 1_000)
    .map(({ buildId }) => buildId)
    .filter((buildId) => named === undefined || named === buildId);
  const runs = await Promise.all(
    builds.map(async (buildId) =>
      (await openRunsOf(client, buildId, MOST_SHOWN)).map((run) => ({ ...run, buildId })),
    ),
  );
  return runs.flat();
}

/** @throws StillServedError where the runs have a worker, unless that is forced */
async function endRuns(
  { client, config, know }: DeployDoors,
  named: string | undefined,
  { force = false, yes = false }: DrainOptions,
): Promise<number> {
  const draining = drainingBuilds((await know()).facts, config.values.DEPLOY_DRAIN_SECONDS * 1_000).filter(
    ({ buildId, isLost }) => (named === undefined ? isLost : named === buildId),
  );
  const served = draining.find(({ isLost }) => !isLost);
  if (served !== undefined && !force) throw new StillServedError(served.buildId);
  const open = draining.reduce((sum, { openRuns }) => sum + openRuns, 0);
  if (open === 0) return 0;
  const question = `End ${open} runs of ${draining.map(({ buildId }) => buildId).join(', ')}? What they were doing is begun anew by the next schedule or command.`;
  if (!yes && !(await isConfirmed(question))) return 0;
  let ended = 0;
  for (const { buildId, isLost } of draining)
    ended += await terminateRuns(
      client,
      buildId,
      isLost ? `no worker of build ${buildId} is left` : 'ended by hand: drain --force',
    );
  return ended;
}

function describe(ended: number, remaining: readonly Remaining[]): string {
  const lines = ended === 0 ? [] : [`${ended} runs were ended.`];
  if (remaining.length === 0) return [...lines, 'Nothing is open on older builds.'].join('\n');
  const rows = remaining.map(({ buildId, type, workflowId, startedAt }) => [
    ...[buildId, type, startedAt.toISOString(), workflowId],
  ]);
  return [
    ...lines,
    renderTable(['Build', 'Workflow', 'Since', 'Id'], rows, process.stdout.columns ?? 160),
  ].join('\n');
}
