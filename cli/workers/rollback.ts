/** `hourglass workers rollback`: makes the build current again that was so before, at once. */
import { recordVerdict, recordWish } from '../../clients/gate-verdicts.ts';
import { makeCurrent, signalActors } from '../../clients/worker-deployments.ts';
import type { DeployFacts, VersionFacts } from '../../domain/deploy-steps.ts';
import { rollbackDecision } from '../../domain/deploy-wishes.ts';
import { createProgressView } from '../progress-view.ts';
import { deployElsewhere, sayIn } from './elsewhere.ts';
import { NothingToRollBackToError, UnknownBuildError } from './errors.ts';
import { follow } from './follow.ts';
import { type DeployDoors, isElsewhere, isSupervised, requireSupervisor, withDeploy } from './known.ts';

interface Outcome {
  readonly from: string | undefined;
  readonly to: string;
  /** The wanted build that was refused, or taken back already, so that nothing was done. */
  readonly refused?: string;
  /** Where a rollback that names a build would go. */
  readonly further?: string;
}

export async function rollback(named: string | undefined, options: { json?: boolean }): Promise<void> {
  const outcome = await withDeploy((doors) => carryOut(doors, named));
  console.log(options.json ? JSON.stringify(outcome, undefined, 2) : describe(outcome));
}

function describe({ from, to, refused, further }: Outcome): string {
  if (refused !== undefined)
    return `Build ${to} is current: build ${refused} was refused, or has been taken back already.${further === undefined ? '' : ` To go back further: \`npx hourglass workers rollback ${further}\`.`}`;
  return from === to
    ? `Build ${to} stays current; the deploy that was under way is given up.`
    : `Build ${to} is current again, instead of ${from ?? 'none'}. Runs that began on the other end there; long-lived ones move.`;
}

async function carryOut(doors: DeployDoors, named: string | undefined): Promise<Outcome> {
  const { facts } = await doors.know();
  const from = facts.currentBuild;
  if (named !== undefined) return goBack(doors, from, buildNamed(facts, named));
  const decision = rollbackDecision(facts);
  switch (decision.kind) {
    case 'go back':
      return goBack(doors, from, decision.to);
    case 'give up':
      return goBack(doors, from, decision.current);
    case 'stay': {
      const { refused, further } = decision;
      return {
        from,
        to: from ?? '',
        refused,
        ...(further === undefined ? {} : { further: further.buildId }),
      };
    }
    case 'nothing':
      throw new NothingToRollBackToError();
  }
}

async function goBack(doors: DeployDoors, from: string | undefined, target: VersionFacts): Promise<Outcome> {
  const { client, database, config } = doors;
  const to = target.buildId;
  const isOwn = isElsewhere(config) && !(await isSupervised(config.dataDir));
  // Without a worker of it somebody has to start one.
  if (target.worker !== 'ready' && !isOwn) await requireSupervisor(config);
  await database.transaction(async (queries) => {
    await recordWish(queries, { buildId: to, kind: 'rollback' });
    if (from === undefined || from === to) return;
    const reason = `rolled back to ${to} by hand`;
    await recordVerdict(queries, { buildId: from, gate: 'watch', passed: false, reason });
  });
  if (target.worker === 'ready') {
    await makeCurrent(client, to);
    await signalActors(client, to);
    return { from, to };
  }
  const view = createProgressView(process.stderr);
  const deploys = isOwn ? deployElsewhere(doors, sayIn(view)) : undefined;
  try {
    await follow(doors, { buildId: to, untilCurrent: true, report: view.report });
    return { from, to };
  } finally {
    await deploys?.stop();
    view.close();
  }
}

/** @throws UnknownBuildError */
function buildNamed({ versions }: DeployFacts, named: string): VersionFacts {
  const here = versions.filter(({ hasFiles }) => hasFiles);
  const found = here.find(({ buildId }) => buildId === named);
  if (found !== undefined) return found;
  throw new UnknownBuildError(
    named,
    here.map(({ buildId }) => buildId),
  );
}
