/** `hourglass workers rollback`: makes the build current again that was so before, at once. */
import { recordVerdict, recordWish } from '../../clients/gate-verdicts.ts';
import { makeCurrent, signalActors } from '../../clients/worker-deployments.ts';
import { type DeployFacts, refusalOf, rollbackTarget, type VersionFacts } from '../../domain/deploy-steps.ts';
import { createProgressView } from '../progress-view.ts';
import { NothingToRollBackToError, UnknownBuildError } from './errors.ts';
import { follow } from './follow.ts';
import { type DeployDoors, requireSupervisor, withDeploy } from './known.ts';

export async function rollback(named: string | undefined, options: { json?: boolean }): Promise<void> {
  const outcome = await withDeploy((doors) => carryOut(doors, named));
  console.log(
    options.json
      ? JSON.stringify(outcome, undefined, 2)
      : outcome.from === outcome.to
        ? `Build ${outcome.to} stays current; the deploy that was under way is given up.`
        : `Build ${outcome.to} is current again, instead of ${outcome.from ?? 'none'}. Runs that began on the other end there; long-lived ones move.`,
  );
}

async function carryOut(
  doors: DeployDoors,
  named: string | undefined,
): Promise<{ from: string | undefined; to: string }> {
  const { client, database, know, config } = doors;
  const { facts } = await know();
  const from = facts.currentBuild;
  const target = targetOf(facts, named);
  const to = target.buildId;
  // Without a worker of it somebody has to start one.
  if (target.worker !== 'ready') await requireSupervisor(config);
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
  try {
    await follow(doors, { buildId: to, untilCurrent: true, report: view.report });
    return { from, to };
  } finally {
    view.close();
  }
}

/** @throws NothingToRollBackToError, UnknownBuildError */
function targetOf(facts: DeployFacts, named: string | undefined): VersionFacts {
  const { versions, wish, currentBuild } = facts;
  if (named !== undefined) {
    const found = versions.find(({ buildId, hasFiles }) => buildId === named && hasFiles);
    if (found !== undefined) return found;
    throw new UnknownBuildError(
      named,
      versions.filter(({ hasFiles }) => hasFiles).map(({ buildId }) => buildId),
    );
  }
  // A deploy that has not come so far is given up: what is current stays.
  const isUnderWay = wish !== undefined && wish.buildId !== currentBuild && refusalOf(facts) === undefined;
  const current = versions.find(({ buildId }) => buildId === currentBuild);
  const target = isUnderWay && current !== undefined ? current : rollbackTarget(facts);
  if (target === undefined) throw new NothingToRollBackToError();
  return target;
}
