/** `hourglass workers deploy`: says which build is wanted, and follows the supervisor, which carries it out. */
import { recordWish } from '../../clients/gate-verdicts.ts';
import { wishDecision } from '../../domain/deploy-wishes.ts';
import { buildsDirectory, presentBuilds } from '../../stack/workers.ts';
import { buildWorker } from '../../workers/bundle.ts';
import { createProgressView } from '../progress-view.ts';
import { deployElsewhere, sayIn } from './elsewhere.ts';
import { UnknownBuildError } from './errors.ts';
import { type FollowedStep, follow } from './follow.ts';
import { type DeployDoors, isElsewhere, isSupervised, requireSupervisor, withDeploy } from './known.ts';
import { detailsOf } from './replay-details.ts';
import { drainLines } from './status.ts';

export interface DeployOptions {
  readonly build?: string;
  readonly accept?: readonly string[];
  /** Of `--no-wait`. */
  readonly wait: boolean;
  /** Of `--no-watch`. */
  readonly watch: boolean;
  readonly json?: boolean;
}

interface Outcome {
  readonly buildId: string;
  readonly outcome: 'is current already' | 'wanted' | 'current' | 'deployed';
  readonly steps: readonly FollowedStep[];
  readonly notes: readonly string[];
}

export async function deploy(options: DeployOptions): Promise<void> {
  const outcome = await withDeploy((doors) => carryOut(doors, options));
  console.log(options.json ? JSON.stringify(outcome, undefined, 2) : describe(outcome).join('\n'));
}

async function carryOut(doors: DeployDoors, options: DeployOptions): Promise<Outcome> {
  const { config, database, know } = doors;
  if (!isElsewhere(config)) await requireSupervisor(config);
  const buildId = await buildOf(config.dataDir, options.build);
  const { facts } = await know();
  const decision = wishDecision(facts, buildId);
  if (decision === 'is current') return { buildId, outcome: 'is current already', steps: [], notes: [] };
  // What is accepted is part of the wish, as long as the replay gate may ask for it.
  if (decision === 'record' || (options.accept !== undefined && facts.currentBuild !== buildId))
    await recordWish(database, { buildId, kind: 'deploy', acceptedTypes: options.accept ?? [] });
  if (!options.wait) return { buildId, outcome: 'wanted', steps: [], notes: [] };
  const view = createProgressView(process.stderr);
  const isOwn = isElsewhere(config) && !(await isSupervised(config.dataDir));
  const deploys = isOwn ? deployElsewhere(doors, sayIn(view)) : undefined;
  try {
    const { report } = view;
    const { steps, known } = await follow(doors, { buildId, untilCurrent: !options.watch, report });
    const notes = [...(detailsOf(known.verdicts, buildId)?.notes ?? []), ...(await drainLines(doors, known))];
    return { buildId, outcome: options.watch ? 'deployed' : 'current', steps, notes };
  } finally {
    await deploys?.stop();
    view.close();
  }
}

async function buildOf(dataDir: string, named: string | undefined): Promise<string> {
  if (named === undefined) return (await buildWorker({ buildsDir: buildsDirectory(dataDir) })).buildId;
  const builds = presentBuilds(dataDir);
  if (!builds.includes(named)) throw new UnknownBuildError(named, builds);
  return named;
}

const SENTENCES: Readonly<Record<Outcome['outcome'], string>> = {
  'is current already': 'is current already',
  wanted: 'is wanted; `npx hourglass workers status` tells how far it is',
  current: 'is current, and watched',
  deployed: 'is current and has proved itself',
};

function describe({ buildId, outcome, steps, notes }: Outcome): string[] {
  const seconds = steps.reduce((sum, step) => sum + step.seconds, 0);
  const took = steps.length === 0 ? '' : `, after ${seconds.toFixed(1)} s`;
  return [`Build ${buildId} ${SENTENCES[outcome]}${took}.`, ...notes.map((note) => `  ${note}`)];
}
