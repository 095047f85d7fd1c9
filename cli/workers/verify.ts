/** `hourglass workers verify`: the replay gate of a build; the supervisor runs it, too, in a process of its own. */
import { recordVerdict } from '../../clients/gate-verdicts.ts';
import { judgeReplay } from '../../domain/replay-report.ts';
import { pipelines } from '../../pipelines/index.ts';
import { buildsDirectory, presentBuilds } from '../../stack/workers.ts';
import { buildWorker } from '../../workers/bundle.ts';
import { quietReplays, replayGate } from '../../workers/replay-gate.ts';
import { BuildRefusedError, UnknownBuildError } from './errors.ts';
import { type DeployDoors, withDeploy } from './known.ts';
import type { ReplayDetails } from './replay-details.ts';

export interface VerifyOptions {
  readonly accept?: readonly string[];
  /** Stores the verdict for the deploy that is under way, and a refusal is not a failure of the command. */
  readonly record?: boolean;
  readonly json?: boolean;
}

export async function verify(named: string | undefined, options: VerifyOptions): Promise<void> {
  quietReplays();
  const { buildId, current, details } = await withDeploy(async (doors) => {
    const { dataDir } = doors.config;
    const buildId = named ?? (await buildWorker({ buildsDir: buildsDirectory(dataDir) })).buildId;
    const { facts, wish } = await doors.know();
    const accepted = options.accept ?? wish?.acceptedTypes ?? [];
    const details = await replayDetails(doors, buildId, facts.currentBuild, accepted);
    const { passed, refusals } = details;
    const verdict = { buildId, gate: 'replay', passed, reason: refusals.join(' '), details } as const;
    if (options.record) await recordVerdict(doors.database, verdict);
    return { buildId, current: facts.currentBuild, details };
  });
  if (options.json) console.log(JSON.stringify({ buildId, ...details }, undefined, 2));
  else console.log(describe(buildId, details).join('\n'));
  if (!details.passed && !options.record)
    throw new BuildRefusedError(buildId, 'replay', details.refusals.join('\n'), current);
}

async function replayDetails(
  { client, config }: DeployDoors,
  buildId: string,
  current: string | undefined,
  accepted: readonly string[],
): Promise<ReplayDetails> {
  const { dataDir, values } = config;
  const builds = presentBuilds(dataDir);
  if (!builds.includes(buildId)) throw new UnknownBuildError(buildId, builds);
  const { moving, ...report } = await replayGate({
    ...{ buildId, client, buildsDir: buildsDirectory(dataDir) },
    before: current !== undefined && builds.includes(current) ? current : undefined,
    runsOfEachType: values.DEPLOY_REPLAY_RUNS,
    jobs: Object.values(pipelines).map(({ job }) => job.name),
  });
  const { project, server, states } = report;
  return { ...judgeReplay(report, moving, accepted), project, server, states };
}

function describe(buildId: string, { passed, refusals, notes, ...counts }: ReplayDetails): string[] {
  const { project, server, states } = counts;
  return [
    `Build ${buildId} ${passed ? 'passes' : 'does not pass'}: ${project} recorded histories, ${server} of the server's and ${states} carried states.`,
    ...refusals.map((text) => `  ✗ ${text}`),
    ...notes.map((text) => `  ! ${text}`),
  ];
}
