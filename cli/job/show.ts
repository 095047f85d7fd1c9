/** `hourglass job show`: all that is known of one Flink job, from its actor, or from the record where the actor does not answer. */
import { createFlinkRestClient } from '../../clients/flink-rest.ts';
import { readRecordOfJob } from '../../clients/job-record.ts';
import { flinkRestUrl, StackNotRunningError } from '../../config/addresses.ts';
import { loadConfig } from '../../config/load.ts';
import { reasonOf } from '../../domain/errors.ts';
import { jobPhases } from '../../domain/job-phases.ts';
import { type JobPhase, type JobState, type Upgrades, upgradesSchema } from '../../schemas/job.ts';
import { withDatabase } from '../with-database.ts';
import { factsOf, type RecordedFacts } from './facts.ts';
import { instant, renderFacts, stretch, withoutStop } from './format.ts';
import { type FlinkHealth, healthInFlink } from './in-flink.ts';
import { requireJob } from './known-jobs.ts';
import { withActor } from './with-actor.ts';

type Known =
  | { readonly toldBy: 'actor'; readonly job: RecordedFacts; readonly actor: JobState }
  | { readonly toldBy: 'record'; readonly job: RecordedFacts; readonly why: string };

export async function showJob(name: string, { json }: { json?: boolean }): Promise<void> {
  requireJob(name);
  const flinkUrl = flinkRestUrl(loadConfig());
  const known = await askActor(name);
  const health = await healthInFlink(createFlinkRestClient(flinkUrl), known.job.jobId);
  console.log(
    json ? JSON.stringify(documentOf(name, known, health), undefined, 2) : describe(name, known, health),
  );
}

async function askActor(name: string): Promise<Known> {
  try {
    return await withActor(name, async (actor): Promise<Known> => {
      // An actor that has ended would still answer, with what it knew when it ended.
      if (await actor.hasEnded()) return await fromRecord(name, undefined);
      const state = await actor.status();
      return state === undefined
        ? await fromRecord(name, undefined)
        : { toldBy: 'actor', job: state, actor: state };
    });
  } catch (error) {
    // Whatever keeps the actor from answering is told beside what the record says.
    if (error instanceof StackNotRunningError) throw error;
    return fromRecord(name, error);
  }
}

const NEVER_COMMANDED: RecordedFacts = {
  ...{ phase: 'new', desired: 'running', isParked: false, attempt: 0 },
  ...{ desiredVersion: '', version: '', jobId: '', restorePath: '', reason: '' },
  upgrades: upgradesSchema.parse({}),
};

/** @param silence why the actor did not answer; undefined when there is none */
async function fromRecord(name: string, silence: unknown): Promise<Known> {
  const record = await withDatabase((database) => readRecordOfJob(database, name));
  const job = record ?? NEVER_COMMANDED;
  return {
    toldBy: 'record',
    job,
    why: silence === undefined ? withoutActor(name, job.phase) : reasonOf(silence),
  };
}

function withoutActor(name: string, phase: JobPhase): string {
  if (jobPhases[phase].terminal)
    return `The job is stopped, so it has no actor; \`npx hourglass job deploy ${name}\` starts one.`;
  return `No actor guards the job; a command starts one, for example \`npx hourglass job resume ${name}\`.`;
}

function documentOf(name: string, known: Known, health: FlinkHealth) {
  const { job } = known;
  const actor = known.toldBy === 'actor' ? known.actor : undefined;
  const nextMs = actor === undefined ? undefined : nextSavepointMs(actor);
  return {
    name,
    toldBy: known.toldBy,
    ...(known.toldBy === 'record' ? { why: known.why } : {}),
    ...factsOf(job),
    description: jobPhases[job.phase].description,
    failures: actor?.failures ?? null,
    flink: health,
    nextSavepointAt: nextMs === undefined ? null : new Date(nextMs),
    waitingSavepoints: actor?.savepointRequests.map(({ triggerId }) => triggerId) ?? null,
    alert:
      actor?.alert === undefined
        ? null
        : {
            kind: actor.alert.kind,
            since: new Date(actor.alert.sinceMs),
            isDelivered: actor.alert.isDelivered,
          },
  };
}

function describe(name: string, known: Known, health: FlinkHealth): string {
  const { job } = known;
  const isNew = job.version === '';
  const facts = renderFacts([
    ['Desired', job.isParked ? `${job.desired}, parked until the stack starts again` : job.desired],
    ['Version', isNew ? 'none yet' : versionOf(job)],
    ['Submission', isNew ? undefined : String(job.attempt)],
    ['Flink job', isNew ? undefined : job.jobId],
    [
      // What the submission that runs was started from, or, where none runs, what the next one will be.
      jobPhases[job.phase].mayRun ? 'Started from' : 'Goes on from',
      isNew ? undefined : job.restorePath === '' ? 'the beginning of its topics' : job.restorePath,
    ],
    ...upgradeFacts(job.upgrades),
    ['Reason', job.reason === '' ? undefined : job.reason],
    ['In Flink', healthLine(health)],
    ...actorFacts(known),
  ]);
  return `${name} is ${job.phase}: ${jobPhases[job.phase].description}\n\n${facts}`;
}

function upgradeFacts({ pending, previous, rejected }: Upgrades): (readonly [string, string | undefined])[] {
  const back = pending?.previous.version ?? previous?.version;
  const until =
    pending === undefined || pending.deadlineMs === 0 ? '' : `, by ${instant(pending.deadlineMs)} UTC`;
  return [
    ['Upgrade', pending === undefined ? undefined : `version ${pending.version} has to be confirmed${until}`],
    ['Version before', back],
    [
      'Rolled back',
      rejected === undefined ? undefined : `version ${rejected.version}: ${withoutStop(rejected.reason)}`,
    ],
  ];
}

const versionOf = ({ version, desiredVersion }: RecordedFacts): string =>
  desiredVersion === '' || desiredVersion === version
    ? version
    : `${version}, to be replaced by ${desiredVersion}`;

function healthLine({
  state,
  checkpointAgeMs,
  completedCheckpoints,
  failedCheckpoints,
}: FlinkHealth): string {
  if (checkpointAgeMs === null)
    return completedCheckpoints + failedCheckpoints === 0
      ? state
      : `${state}, ${failedCheckpoints} failed checkpoints`;
  return `${state}, last checkpoint ${stretch(checkpointAgeMs)} ago (${completedCheckpoints} completed, ${failedCheckpoints} failed)`;
}

function actorFacts(known: Known): (readonly [string, string | undefined])[] {
  if (known.toldBy === 'record')
    return [['Told by', `the record in PostgreSQL, not by its actor: ${withoutStop(known.why)}.`]];
  const { savepointRequests, alert } = known.actor;
  const nextMs = nextSavepointMs(known.actor);
  return [
    [
      'Savepoint',
      nextMs === undefined
        ? 'none is planned'
        : `the next in ${stretch(nextMs - Date.now())}, at ${instant(nextMs)} UTC`,
    ],
    ['Waiting', savepointRequests.length === 0 ? undefined : `${savepointRequests.length} savepoints`],
    ['Alert', alert === undefined ? 'none' : alertLine(alert)],
    ['Told by', 'its actor'],
  ];
}

/** Periodic savepoints are taken only of a job that runs. */
const nextSavepointMs = ({ phase, nextSavepointAtMs }: JobState): number | undefined =>
  nextSavepointAtMs === 0 || !jobPhases[phase].mayRun ? undefined : nextSavepointAtMs;

const alertLine = ({ kind, sinceMs, isDelivered }: NonNullable<JobState['alert']>): string =>
  `${kind} since ${instant(sinceMs)} UTC${isDelivered ? '' : ', not delivered yet'}`;
