/** `hourglass workers status` and `versions`: which build serves, which is wanted and how far it is, and what is open on older ones. */
import type { Client } from '@temporalio/client';
import type { KnownDeploy } from '../../clients/deploy-facts.ts';
import { openRunsByType, stuckRunsOf } from '../../clients/worker-deployments.ts';
import {
  drainingBuilds,
  GATES,
  lostSentence,
  nextStep,
  stepSentences,
  stuckSentence,
  type VersionFacts,
} from '../../domain/deploy-steps.ts';
import { renderTable } from '../table.ts';
import { type DeployDoors, withDeploy } from './known.ts';
import { detailsOf } from './replay-details.ts';

export async function status(options: { json?: boolean }): Promise<void> {
  await withDeploy(async (doors) => {
    const known = await doors.know();
    const step = nextStep(known.facts);
    const { currentBuild, currentSinceMs, wish } = known.facts;
    const notes = wish === undefined ? [] : (detailsOf(known.verdicts, wish.buildId)?.notes ?? []);
    const draining = await drainLines(doors, known);
    if (options.json) {
      const currentSince = currentSinceMs === undefined ? null : new Date(currentSinceMs).toISOString();
      const all = { currentBuild, currentSince, wish, step, notes, draining, versions: known.facts.versions };
      console.log(JSON.stringify(all, undefined, 2));
      return;
    }
    console.log([...summary(known), ...notes.map((note) => `  ${note}`), ...draining].join('\n'));
  });
}

function summary({ facts, wish }: KnownDeploy): string[] {
  const step = nextStep(facts);
  const since =
    facts.currentSinceMs === undefined ? '' : ` since ${new Date(facts.currentSinceMs).toISOString()}`;
  const lines = [`Build ${facts.currentBuild ?? '–'} is current${since}.`];
  if (wish === undefined || step.kind === 'rest') return lines;
  if (step.kind === 'refused')
    return [...lines, `Build ${wish.buildId} is refused by the ${step.gate} gate: ${step.reason}`];
  return [...lines, `Build ${wish.buildId} is wanted: ${stepSentences[step.kind]}.`];
}

/** Lines for each build other than the current one on which runs are open, and what to do where they do not end by themselves. */
export async function drainLines(
  { client, config }: Pick<DeployDoors, 'client' | 'config'>,
  { facts }: Pick<KnownDeploy, 'facts'>,
): Promise<string[]> {
  const draining = drainingBuilds(facts, config.values.DEPLOY_DRAIN_SECONDS * 1_000);
  const lines = await Promise.all(
    draining.map(async (build) => {
      if (build.isLost) return [lostSentence(build)];
      const { buildId, openRuns, isOverdue, isTakenBack } = build;
      const each = Object.entries(await openRunsByType(client, buildId)).map(
        ([type, count]) => `${count} ${type}`,
      );
      const late = isOverdue ? ', which takes longer than DEPLOY_DRAIN_SECONDS' : '';
      const open = `Build ${buildId}: ${openRuns} open ${openRuns === 1 ? 'run' : 'runs'} (${each.join(', ')}); its worker stays until they end${late}.`;
      // Describing each run costs a call: it is done where runs are likely to hang.
      return isOverdue || isTakenBack ? [open, ...(await hangingLines(client, buildId))] : [open];
    }),
  );
  return lines.flat();
}

/** What hangs on a build is not moved by a deploy or a rollback: it cannot listen. */
async function hangingLines(client: Client, buildId: string): Promise<string[]> {
  const stuck = await stuckRunsOf(client, buildId);
  if (stuck.length === 0) return [];
  return [
    ...stuck.slice(0, MOST_HANGING).map((run) => `  It hangs: ${stuckSentence(run)}.`),
    `  \`npx hourglass workers drain ${buildId} --terminate --force\` ends every run that is open on it; an actor is begun anew by the next command or start.`,
  ];
}

const MOST_HANGING = 5;

export async function versions(options: { json?: boolean }): Promise<void> {
  const { facts } = await withDeploy(({ know }) => know());
  const sorted = [...facts.versions].sort((a, b) => (b.lastCurrentMs ?? 0) - (a.lastCurrentMs ?? 0));
  if (options.json) console.log(JSON.stringify(sorted, undefined, 2));
  else
    console.log(
      renderTable(
        ['Build', 'Status', 'Worker', 'Open runs', 'Gates', 'Directory', 'Last current'],
        sorted.map(versionRow),
        process.stdout.columns ?? 120,
      ),
    );
}

function versionRow(version: VersionFacts): string[] {
  const { buildId, status: state, worker, openRuns, hasFiles, lastCurrentMs } = version;
  const gates = GATES.flatMap((gate) => {
    const verdict = version.verdicts[gate];
    return verdict === undefined ? [] : [`${gate} ${verdict.passed ? '✓' : '✗'}`];
  });
  return [
    buildId,
    state === 'unknown' ? 'never ran' : state,
    worker === 'none' ? '–' : worker,
    String(openRuns),
    gates.join(' ') || '–',
    hasFiles ? 'here' : 'gone',
    lastCurrentMs === undefined ? '–' : new Date(lastCurrentMs).toISOString(),
  ];
}
