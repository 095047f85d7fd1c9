/**
 * Activities around a candidate that concern the job it may replace: a fresh snapshot of the job, how far both have read, their windows
 * beside one another, and the cut-over through the job's actor. Each is safe to repeat.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { cancellationSignal, heartbeat } from '@temporalio/activity';
import { oldestRecords } from '../clients/candidate-costs.ts';
import { changedHoursSince } from '../clients/completeness-checks.ts';
import { FlinkUnreachableError } from '../clients/flink-errors.ts';
import type { FlinkRestClient } from '../clients/flink-rest.ts';
import type { JobActor } from '../clients/job-actor.ts';
import type { KafkaClient } from '../clients/kafka.ts';
import type { Database } from '../clients/postgres.ts';
import { type LogEnd, logEnds, unreadBefore } from '../clients/read-progress.ts';
import { compareWithShadow, databaseTime } from '../clients/shadow-tables.ts';
import { streamOf } from '../domain/candidates.ts';
import type { DryRunOrigin } from '../domain/dry-run.ts';
import { HourglassError } from '../domain/errors.ts';
import { hasEnded } from '../domain/job-health.ts';
import { jobPhases } from '../domain/job-phases.ts';
import { type SavepointRow, savepointStanding } from '../domain/job-waiting.ts';
import { firstWholeWindow, lastWindowEnd, type ShadowComparison } from '../domain/shadow-comparison.ts';
import type { JobState } from '../schemas/job.ts';
import type { PipelineDefinition } from '../schemas/pipeline.ts';
import { rootCause } from './flink-submission.ts';
import { allWithPulse } from './pulse.ts';

export interface ShadowUpgradeDeps {
  readonly database: Database;
  readonly kafka: KafkaClient;
  readonly rest: FlinkRestClient;
  readonly pollMs: number;
  /** By the names of their jobs. */
  readonly streams: Readonly<Record<string, PipelineDefinition>>;
  readonly actorOf: (job: string) => Pick<JobActor, 'command' | 'status'>;
}

/** Thrown when the job is not as an upgrade beside it needs it. Nothing was changed. */
class JobNotStableError extends HourglassError {
  constructor(job: string, phase: string) {
    super(
      'JOB_NOT_STABLE',
      `${job} is ${phase}: a candidate is compared with a job that is stable. See \`npx hourglass job show ${job}\`.`,
    );
  }
}

/** Thrown when the candidate's job ended while it was to catch up. */
class CandidateFailedError extends HourglassError {
  constructor(reason: string) {
    super('CANDIDATE_FAILED', `The candidate failed: ${reason}. The job was not touched.`);
  }
}

/** How far consumer groups have come with what the log held. */
export interface ReadersSight {
  /** When the log was asked for its ends, by the database's clock, and where they were. */
  readonly asked: { readonly at: string; readonly ends: readonly LogEnd[] };
  /** Of the group that has most. */
  readonly unread: number;
  /** The group that has most. */
  readonly slowest?: string;
}

/** How the job stands after a cut-over. */
export type UpgradeSight =
  | { readonly end: 'stable'; readonly attempt: number }
  | { readonly end: 'underWay' | 'failed'; readonly reason: string };

export function createShadowUpgradeActivities(deps: ShadowUpgradeDeps) {
  const { database, kafka, rest, pollMs, streams, actorOf } = deps;

  const stateOf = async (job: string): Promise<JobState | undefined> => actorOf(job).status();
  const topicsOf = ({ topics }: PipelineDefinition): readonly string[] => [
    topics.live.name,
    topics.repairs.name,
  ];
  const pause = (): Promise<void> => delay(pollMs, undefined, { signal: cancellationSignal() });

  const askForEnds = async (job: string): Promise<ReadersSight['asked']> => {
    // In this order: what is published after the ends were asked for is stamped later than this.
    const at = (await databaseTime(database)).toISOString();
    return { at, ends: await logEnds(kafka, topicsOf(streamOf(streams, job))) };
  };

  const requireAlive = async (jobId: string): Promise<void> => {
    const job = await rest.job(jobId, cancellationSignal()).catch((error) => {
      if (!(error instanceof FlinkUnreachableError)) throw error;
      return null;
    });
    if (job === null) return;
    if (job === undefined) throw new CandidateFailedError('the Flink cluster does not know it any more');
    if (hasEnded(job.state)) throw new CandidateFailedError(await rootCause(rest, jobId));
  };

  const savepointRow = async (job: string, triggerId: string): Promise<SavepointRow | undefined> =>
    (await database.query<SavepointRow>('savepoint', [job, triggerId]))[0];

  return allWithPulse({
    /** A savepoint of the job as it runs now, by its actor; of one that does not run, the snapshot it would go on from. */
    async takeFreshSnapshot({ job, triggerId }: { job: string; triggerId: string }): Promise<DryRunOrigin> {
      const state = await stateOf(job);
      if (state === undefined || !jobPhases[state.phase].mayRun)
        return state === undefined || state.restorePath === ''
          ? { kind: 'none', reason: `${job} does not run, and nothing of its state is kept` }
          : { kind: 'kept', path: state.restorePath };
      if ((await savepointRow(job, triggerId)) === undefined)
        await actorOf(job).command('savepoint', { commandId: triggerId, triggerId });
      for (;;) {
        heartbeat();
        // Seen before the row, as the judgement wants it.
        const seen = await stateOf(job);
        const row = await savepointRow(job, triggerId);
        const standing = savepointStanding(triggerId, seen, row);
        if (standing.end === 'reached') return { kind: 'savepoint', path: row?.path ?? '' };
        if ('reason' in standing)
          return { kind: 'none', reason: `no savepoint of ${job} could be taken, ${standing.reason}` };
        await pause();
      }
    },

    /** @returns the version that runs @throws JobNotStableError */
    async requireStable({ job }: { job: string }): Promise<string> {
      const state = await stateOf(job);
      if (state?.phase !== 'stable') throw new JobNotStableError(job, state?.phase ?? 'not deployed');
      return state.version;
    },

    /**
     * Waits until each of these groups has committed what the log holds, or `untilMs` has passed.
     * @param input.asked of an earlier look, to go on with the same; the log's ends now unless given
     * @param input.jobId the candidate, while it is to run
     * @throws CandidateFailedError
     */
    async awaitReaders(input: {
      job: string;
      groups: readonly string[];
      untilMs: number;
      asked?: ReadersSight['asked'];
      jobId?: string;
    }): Promise<ReadersSight> {
      const { job, groups, untilMs, jobId } = input;
      const deadline = Date.now() + untilMs;
      const asked = input.asked ?? (await askForEnds(job));
      for (;;) {
        heartbeat();
        if (jobId !== undefined) await requireAlive(jobId);
        const open = await Promise.all(groups.map((group) => unreadBefore(kafka, group, asked.ends)));
        const unread = Math.max(...open);
        const slowest = groups[open.indexOf(unread)] ?? '';
        if (unread === 0 || Date.now() >= deadline) return { asked, unread, slowest };
        await pause();
      }
    },

    /** Compares what both had made of everything that was published before `writtenBefore`, which both have read. */
    async compareWindows(input: {
      job: string;
      schema: string;
      writtenBefore: string;
    }): Promise<ShadowComparison> {
      const writtenBefore = new Date(input.writtenBefore);
      const pipeline = streamOf(streams, input.job);
      const from = firstWholeWindow(await oldestRecords(kafka, topicsOf(pipeline)));
      const to = lastWindowEnd(writtenBefore);
      const found = await compareWithShadow(database, {
        ...{ schema: input.schema, table: pipeline.tables.windows, from, to, writtenBefore },
      });
      return { from: from.toISOString(), to: to.toISOString(), ...found };
    },

    /** The hours that the stream has written since, or of which observations were stored. */
    async hoursWrittenSince({ job, since }: { job: string; since: string }): Promise<readonly string[]> {
      const { name: pipeline } = streamOf(streams, job);
      const before = await databaseTime(database);
      const hours = await changedHoursSince(database, { pipeline, since: new Date(since), before });
      return hours.map((hour) => hour.toISOString());
    },

    /** Tells the job's actor to go on with the version, from the candidate's state. */
    async cutOver(input: {
      job: string;
      version: string;
      from: string;
      commandId: string;
      parallelism?: number | undefined;
    }): Promise<void> {
      const { job, ...command } = input;
      await actorOf(job).command('deploy', command);
    },

    /** Waits until the job is stable on the version, is given up, or `untilMs` has passed. */
    async awaitUpgrade(input: { job: string; version: string; untilMs: number }): Promise<UpgradeSight> {
      const { job, version, untilMs } = input;
      const deadline = Date.now() + untilMs;
      for (let last = 'its actor has not answered yet'; ; ) {
        heartbeat();
        const state = await stateOf(job);
        if (state !== undefined) {
          const sight = upgradeSight(state, version);
          if (sight.end !== 'underWay') return sight;
          last = sight.reason;
        }
        if (Date.now() >= deadline) return { end: 'underWay', reason: last };
        await pause();
      }
    },
  });
}

export type ShadowUpgradeActivities = ReturnType<typeof createShadowUpgradeActivities>;

function upgradeSight(state: JobState, version: string): UpgradeSight {
  const { phase, reason, attempt, desiredVersion, upgrades } = state;
  const rejection = upgrades.rejected?.version === version ? upgrades.rejected.reason : '';
  const why = rejection || reason || jobPhases[phase].description;
  if (desiredVersion !== version)
    return { end: 'failed', reason: `it is to run version ${desiredVersion} again: ${why}` };
  if (phase === 'stable' && state.version === version) return { end: 'stable', attempt };
  if (phase === 'failing' || phase === 'stopped') return { end: 'failed', reason: `it is ${phase}: ${why}` };
  return { end: 'underWay', reason: `it is ${phase}: ${why}` };
}
