/**
 * The replay gate of a build: its bundle, as it is shipped, replays recorded histories and reads what runs carry over. What refuses
 * the build is decided in `domain/replay-report.ts`. Runs in a process of its own, which ends with it.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import proto from '@temporalio/proto';
import { DefaultLogger, makeTelemetryFilterString, Runtime, Worker } from '@temporalio/worker';
import { describeWorkerDeployment, openRunsByType } from '../clients/worker-deployments.ts';
import {
  type AskedHistories,
  carriedBy,
  type FetchedHistory,
  type History,
  newestHistories,
  stateOfActor,
} from '../clients/workflow-histories.ts';
import { jobActorId } from '../domain/identities.ts';
import {
  faultOf,
  type ReplayFinding,
  type ReplayReport,
  type UnreadableState,
} from '../domain/replay-report.ts';
import { type BundleFacts, readBundle } from './bundle-facts.ts';

export interface ReplayGateOptions {
  readonly buildsDir: string;
  readonly buildId: string;
  /** The build that the runs are on which move; undefined when there is none, or its directory is gone. */
  readonly before: string | undefined;
  /** Asked for histories, states and open runs. Without it only the project's histories are replayed. */
  readonly client?: Client;
  /** So many of the newest runs of each type. */
  readonly runsOfEachType: number;
  readonly jobs: readonly string[];
}

interface Replayed {
  readonly type: string;
  readonly name: string;
  readonly source: ReplayFinding['source'];
  readonly isOpen: boolean;
  readonly mayMove: boolean;
  /** What a run names after itself has the same name again. */
  readonly workflowId: string;
  readonly history: History;
}

/** Of the histories: those that the workflows of then left, where those of now do something else. */
export const EARLIER_HISTORIES = 'earlier';

/** Where a carried state is from, and what it is. */
interface Carried {
  readonly type: string;
  readonly name: string;
  readonly source: ReplayFinding['source'];
  readonly state: unknown;
}

/** @throws what the server answers; an incompatibility is a finding */
export async function replayGate(
  options: ReplayGateOptions,
): Promise<ReplayReport & { readonly moving: readonly string[] }> {
  const { buildId, before, client } = options;
  const bundle = readBundle(options.buildsDir, buildId);
  const moving = Object.keys(bundle.carriedStates);
  const carried: Carried[] = [];
  const findings: ReplayFinding[] = [];
  const counts = { project: 0, earlier: 0, server: 0 };
  const staying = client === undefined ? {} : await stayingRuns(client, buildId);
  const leftOut: string[] = [];
  const types = askedTypes(bundle, staying);
  const asked = { types, longLived: moving, most: options.runsOfEachType };
  const tried = histories(options, { ...asked, leaveOut: (sentence) => leftOut.push(sentence) });
  for await (const { replayed, error, runId } of replay(bundle.code, tried)) {
    const { type, name, source, isOpen, mayMove, history } = replayed;
    counts[source] += 1;
    if (error !== undefined)
      findings.push({ type, name, runId, source, isOpen, mayMove, fault: faultOf(error) });
    if (moving.includes(type))
      for (const state of carriedBy(history)) carried.push({ type, name, source, state });
  }
  const answered = client === undefined ? [] : await statesOfActors(client, options.jobs);
  const states = [...carried, ...answered];
  const old = before === undefined || before === buildId ? undefined : readBundle(options.buildsDir, before);
  return {
    ...{ buildId, moving, states: states.length, findings, staying },
    ...{ project: counts.project + counts.earlier, server: counts.server },
    unreadable: unreadableStates(states, bundle, old),
    unchecked: [...noneShipped(counts.project), ...leftOut, ...uncheckedStates(moving, old)],
  };
}

/** Once in a process, before anything is replayed: what the core would log of a failed replay is in the report. */
export function quietReplays(): void {
  Runtime.install({
    logger: new DefaultLogger('ERROR', () => undefined),
    telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'ERROR' }) } },
  });
}

async function* replay(
  code: string,
  given: AsyncIterable<Replayed>,
): AsyncGenerator<{ replayed: Replayed; runId: string; error: string | undefined }> {
  let replayed: Replayed | undefined;
  const remembered = async function* () {
    for await (replayed of given) {
      const { workflowId, history } = replayed;
      yield { workflowId, history };
    }
  };
  for await (const { runId, error } of Worker.runReplayHistories({ workflowBundle: { code } }, remembered()))
    if (replayed !== undefined) yield { replayed, runId, error: error?.message };
}

async function* histories(
  { buildsDir, buildId, client }: ReplayGateOptions,
  asked: AskedHistories,
): AsyncGenerator<Replayed> {
  // Shipped with the build: whoever changes a workflow records them anew.
  const shipped = join(buildsDir, buildId, 'histories');
  for (const [source, directory] of [
    ['project', shipped],
    ['earlier', join(shipped, EARLIER_HISTORIES)],
  ] as const)
    for (const { name, history } of historiesIn(directory))
      yield {
        ...{ type: typeOf(history), name, source, isOpen: false, mayMove: false },
        ...{ workflowId: startOf(history).workflowId ?? name, history },
      };
  if (client === undefined) return;
  for await (const fetched of newestHistories(client, asked)) yield fromServer(fetched);
}

function* historiesIn(directory: string): Generator<{ name: string; history: History }> {
  const files = existsSync(directory) ? readdirSync(directory) : [];
  for (const file of files.filter((name) => name.endsWith('.json'))) {
    // The SDK's own reader fails where npm has installed protobufjs twice; the generated classes do not.
    const history = proto.temporal.api.history.v1.History.fromObject(
      JSON.parse(readFileSync(join(directory, file), 'utf8')),
    ) as History;
    yield { name: file.slice(0, -'.json'.length), history };
  }
}

/** Runs may be open of types that the build has no more. */
export const askedTypes = (
  { workflowTypes }: Pick<BundleFacts, 'workflowTypes'>,
  staying: ReplayReport['staying'],
): readonly string[] => [...new Set([...workflowTypes, ...Object.values(staying).flatMap(Object.keys)])];

const noneShipped = (project: number): string[] =>
  project > 0
    ? []
    : ['No recorded history is shipped with the build: only runs of the server were replayed.'];

const startOf = ({ events }: History) => events?.[0]?.workflowExecutionStartedEventAttributes ?? {};
const typeOf = (history: History): string => startOf(history).workflowType?.name ?? '';

const fromServer = ({ type, workflowId, isOpen, mayMove, history }: FetchedHistory): Replayed => ({
  ...{ type, name: workflowId, source: 'server', isOpen, mayMove, workflowId, history },
});

async function statesOfActors(client: Client, jobs: readonly string[]): Promise<Carried[]> {
  const states = await Promise.all(jobs.map((job) => stateOfActor(client, job)));
  return jobs.flatMap((job, index) =>
    states[index] === undefined
      ? []
      : [{ type: 'flinkJob', name: jobActorId(job), source: 'server' as const, state: states[index] }],
  );
}

/** What is carried now must be read by the new build, and what the new build makes of it by the old: a rollback goes that way. */
export function unreadableStates(
  states: readonly Carried[],
  bundle: BundleFacts,
  old: BundleFacts | undefined,
): UnreadableState[] {
  return states.flatMap(({ type, name, source, state }) => {
    const read = bundle.carriedStates[type]?.safeParse(state);
    if (read === undefined) return [];
    // What is checked in was recorded by the code of this project, as it is or as it was.
    const writers = {
      project: bundle.buildId,
      earlier: 'an earlier build',
      server: old?.buildId ?? 'the build before',
    };
    const writer = writers[source];
    if (!read.success) return [{ type, name, reader: bundle.buildId, writer, text: issuesOf(read.error) }];
    // Through JSON, as the next run gets it.
    const back = old?.carriedStates[type]?.safeParse(JSON.parse(JSON.stringify(read.data)));
    if (old === undefined || back === undefined || back.success) return [];
    return [{ type, name, reader: old.buildId, writer: bundle.buildId, text: issuesOf(back.error) }];
  });
}

type Issues =
  | { readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[] }
  | undefined;

const issuesOf = (error: Issues): string =>
  (error?.issues ?? [])
    .slice(0, 3)
    .map(({ path, message }) => `${path.join('.')} ${message}`.trim())
    .join('; ');

async function stayingRuns(client: Client, buildId: string): Promise<ReplayReport['staying']> {
  const { versions } = await describeWorkerDeployment(client);
  const older = versions.filter((version) => version.buildId !== buildId && version.status !== 'drained');
  const counts = await Promise.all(older.map((version) => openRunsByType(client, version.buildId)));
  return Object.fromEntries(older.map((version, index) => [version.buildId, counts[index] ?? {}]));
}

function uncheckedStates(moving: readonly string[], old: BundleFacts | undefined): string[] {
  if (old === undefined) return [];
  const unknown = moving.filter((type) => old.carriedStates[type] === undefined);
  return unknown.length === 0
    ? []
    : [
        `Whether build ${old.buildId} reads what this one carries over is not known: it does not say how it reads ${unknown.join(', ')}.`,
      ];
}
