/** Activities on a Flink job's snapshots: taking and disposing of savepoints, and finding what a job can be started from. */
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { cancellationSignal, heartbeat } from '@temporalio/activity';
import { FlinkRequestError, innermostCause } from '../clients/flink-errors.ts';
import type { FlinkRestClient, SavepointProgress } from '../clients/flink-rest.ts';
import type { Database } from '../clients/postgres.ts';
import { HourglassError, reasonOf } from '../domain/errors.ts';
import { savepointsToDispose } from '../domain/savepoint-retention.ts';
import type { SavepointKind } from '../schemas/job.ts';

export interface SavepointDeps {
  readonly database: Database;
  readonly rest: FlinkRestClient;
  readonly pollMs: number;
  /** Where the cluster keeps retained checkpoints, as a file: URL; its savepoints lie beside it, in `savepoints`. */
  readonly checkpointDirectory: string;
}

export interface SavepointQuestion {
  readonly name: string;
  readonly version: string;
  readonly jobId: string;
  readonly triggerId: string;
  readonly kind: SavepointKind;
  readonly timeoutMs: number;
}

/** How a savepoint ended. It is an answer, not an error: what a failed one means is for the actor to decide. */
export type SavepointOutcome =
  | { readonly status: 'completed'; readonly path: string }
  | { readonly status: 'failed' | 'abandoned'; readonly reason: string };

/** What a job is started from. `note` says what was not there; without a path there is nothing. */
export interface RestorePoint {
  readonly path: string;
  readonly note: string;
}

/** Thrown for a savepoint that nobody knows, that did not complete, or that is gone. */
class SavepointNotFoundError extends HourglassError {
  constructor(job: string, what: string) {
    super(
      'SAVEPOINT_NOT_FOUND',
      `${job} cannot start from ${what}; see \`npx hourglass job savepoints ${job}\`.`,
    );
  }
}

/** Checkpoints of so many submissions before the present one are kept. */
const EARLIER_SUBMISSIONS_KEPT = 2;
const DISPOSAL_MS = 30_000;

export function createSavepointActivities({ database, rest, pollMs, ...deps }: SavepointDeps) {
  const checkpointDirectory = inOneForm(deps.checkpointDirectory);
  const savepointDirectory = new URL('savepoints', checkpointDirectory).href;
  const finish = async (
    { name, triggerId }: Pick<SavepointQuestion, 'name' | 'triggerId'>,
    outcome: SavepointOutcome,
  ): Promise<SavepointOutcome> => {
    const [path, error] = outcome.status === 'completed' ? [outcome.path, null] : [null, outcome.reason];
    await database.query('finish-savepoint', [name, triggerId, outcome.status, path, error]);
    return outcome;
  };

  /** Follows what was triggered to its end. @returns undefined for a savepoint that Flink does not know */
  const follow = async (question: SavepointQuestion): Promise<SavepointOutcome | undefined> => {
    const deadline = Date.now() + question.timeoutMs;
    for (;;) {
      heartbeat();
      const progress = await progressOf(question);
      if (progress.status === 'completed') return { status: 'completed', path: progress.path };
      if (progress.status === 'failed') return { status: 'failed', reason: innermostCause(progress.trace) };
      if (progress.status === 'unknown') return undefined;
      if (Date.now() > deadline)
        return { status: 'failed', reason: `it took longer than ${question.timeoutMs / 1_000} s` };
      await delay(pollMs, undefined, { signal: cancellationSignal() });
    }
  };
  const progressOf = ({ jobId, triggerId }: SavepointQuestion): Promise<SavepointProgress> =>
    rest.savepoint(jobId, triggerId);

  /** One savepoint for one trigger id, whatever is repeated: what is on record as ended is not begun again. */
  const take = async (
    question: SavepointQuestion,
    trigger: (jobId: string, triggerId: string) => Promise<void>,
  ): Promise<SavepointOutcome> => {
    const { name, jobId, triggerId, version, kind } = question;
    await database.query('record-savepoint', [name, triggerId, jobId, version, kind]);
    const known = await recordedOutcome(name, triggerId);
    if (known !== undefined) return known;
    const before = await follow(question);
    if (before !== undefined) return finish(question, before);
    try {
      await trigger(jobId, triggerId);
    } catch (error) {
      if (!(error instanceof FlinkRequestError) || error.retryable) throw error;
      return finish(question, { status: 'failed', reason: error.message });
    }
    await database.query('begin-savepoint', [name, triggerId]);
    const outcome = await follow(question);
    return finish(
      question,
      outcome ?? { status: 'abandoned', reason: 'Flink forgot it before it was completed' },
    );
  };

  const recordedOutcome = async (name: string, triggerId: string): Promise<SavepointOutcome | undefined> => {
    const [row] = await database.query<{ status: string; path: string | null; error: string | null }>(
      'savepoint',
      [name, triggerId],
    );
    if (row?.status === 'completed') return { status: 'completed', path: row.path ?? '' };
    if (row?.status === 'failed' || row?.status === 'abandoned')
      return { status: row.status, reason: row.error ?? 'it gave no reason' };
    return undefined;
  };

  const newestCheckpoint = async (jobId: string): Promise<string> => {
    const directory = `${checkpointDirectory}/${jobId}`;
    const numbers = (await entriesOf(directory)).flatMap((entry) => /^chk-(\d+)$/.exec(entry)?.[1] ?? []);
    for (const number of numbers.map(Number).sort((a, b) => b - a)) {
      const path = `${directory}/chk-${number}`;
      if (await exists(path)) return path;
    }
    return '';
  };

  /**
   * Also a savepoint whose completion nobody heard of, because the JobManager was lost with its answer, or it came too late:
   * Flink names it after the job. A job that has finished with one leaves no checkpoint.
   */
  const newestOf = async (jobId: string): Promise<string> => {
    const savepoints = (await entriesOf(savepointDirectory)).filter((entry) =>
      entry.startsWith(`savepoint-${jobId.slice(0, 6)}-`),
    );
    return newest([
      await newestCheckpoint(jobId),
      ...savepoints.map((entry) => `${savepointDirectory}/${entry}`),
    ]);
  };

  const earlierJobs = async (name: string): Promise<readonly string[]> =>
    (await database.query<{ flink_job_id: string }>('earlier-flink-jobs', [name])).map(
      ({ flink_job_id: id }) => id,
    );
  const keptSavepoints = (name: string) =>
    database.query<{ trigger_id: string; path: string; finished_at: Date }>('kept-savepoints', [name]);

  /** The newest snapshot of the job that is still there, whichever submission made it. */
  const newestSnapshot = async (name: string): Promise<string> => {
    const left = await Promise.all((await earlierJobs(name)).map(newestOf));
    return newest([...left, ...(await keptSavepoints(name)).map(({ path }) => path)]);
  };

  const dispose = async (path: string): Promise<void> => {
    if (!(await exists(path))) return;
    await rest.disposeSavepoint(path);
    const deadline = Date.now() + DISPOSAL_MS;
    while (path.startsWith('file:') && (await exists(path))) {
      heartbeat();
      if (Date.now() > deadline)
        throw new Error(`${path} is still there ${DISPOSAL_MS / 1_000} s after Flink was asked to delete it`);
      await delay(pollMs, undefined, { signal: cancellationSignal() });
    }
  };

  return {
    /** Takes a savepoint of a job that runs on. */
    takeSavepoint: (question: SavepointQuestion): Promise<SavepointOutcome> =>
      take(question, (jobId, triggerId) => rest.triggerSavepoint(jobId, triggerId)),

    /** Stops the job with a savepoint, without drain. */
    stopJobWithSavepoint: (question: SavepointQuestion): Promise<SavepointOutcome> =>
      take(question, (jobId, triggerId) => rest.stopWithSavepoint(jobId, triggerId)),

    /**
     * The newest snapshot that a job in Flink has left, or '' when it never made one. One that was stable did: when nothing
     * is left of it, the place where it was is the answer, which is then found to be gone and never taken for "from nothing".
     */
    async findCheckpoint({ name, jobId }: { name: string; jobId: string }): Promise<string> {
      const left = await newestOf(jobId);
      if (left !== '') return left;
      const [wasStable] = await database.query('was-stable', [name, jobId]);
      return wasStable === undefined ? '' : `${checkpointDirectory}/${jobId}`;
    },

    /** What the next submission starts from: the recorded snapshot, or, when it is gone, the newest that is still there. */
    async findRestorePoint({
      name,
      restorePath,
    }: {
      name: string;
      restorePath: string;
    }): Promise<RestorePoint> {
      if (restorePath === '' || (await exists(restorePath))) return { path: restorePath, note: '' };
      const path = await newestSnapshot(name);
      const gone = `the recorded snapshot ${restorePath} is gone`;
      return {
        path,
        note:
          path === ''
            ? `${gone}, and there is no other`
            : `${gone}; the newest that is left is older: ${path}`,
      };
    },

    /** The path of a savepoint that was named by its trigger id or its path. @throws SavepointNotFoundError */
    async resolveSavepoint({ name, from }: { name: string; from: string }): Promise<string> {
      if (!/^[0-9a-f]{32}$/.test(from)) {
        if (await exists(from)) return from;
        throw new SavepointNotFoundError(name, `${from}, which holds no snapshot`);
      }
      const outcome = await recordedOutcome(name, from);
      if (outcome === undefined)
        throw new SavepointNotFoundError(name, `savepoint ${from}, which is not on record as ended`);
      if (outcome.status !== 'completed')
        throw new SavepointNotFoundError(
          name,
          `savepoint ${from}, which ${outcome.status}: ${outcome.reason}`,
        );
      if (!(await exists(outcome.path)))
        throw new SavepointNotFoundError(name, `savepoint ${from}, whose files are gone (${outcome.path})`);
      return outcome.path;
    },

    /** Disposes of what retention no longer keeps. @returns how many savepoints */
    async pruneSnapshots(input: {
      name: string;
      count: number;
      ageMs: number;
      inUse: readonly string[];
    }): Promise<number> {
      const { name, count, ageMs } = input;
      const inUse = input.inUse.map(inOneForm);
      const kept = (await keptSavepoints(name)).map((row) => ({
        triggerId: row.trigger_id,
        path: inOneForm(row.path),
        finishedAtMs: row.finished_at.getTime(),
      }));
      const surplus = savepointsToDispose(kept, { count, ageMs, inUse }, Date.now());
      for (const { triggerId, path } of surplus) {
        await dispose(path);
        await database.query('dispose-savepoint', [name, triggerId]);
      }
      const ended = (await earlierJobs(name)).slice(1 + EARLIER_SUBMISSIONS_KEPT);
      for (const jobId of ended) {
        const directory = `${checkpointDirectory}/${jobId}`;
        if (inUse.some((path) => path.startsWith(`${directory}/`))) continue;
        await rm(fileURLToPath(directory), { recursive: true, force: true });
      }
      return surplus.length;
    },
  };
}

export type SavepointActivities = ReturnType<typeof createSavepointActivities>;

/** Flink writes file:/a where others write file:///a: what is compared is written one way. */
const inOneForm = (path: string): string => (path.startsWith('file:') ? new URL(path).href : path);

/** Whether a snapshot is whole: one without its metadata was never completed. Only files can be looked at. */
async function exists(path: string): Promise<boolean> {
  return !path.startsWith('file:') || (await modifiedAt(path)) > 0;
}

/** The newest of those that are there, or ''. */
async function newest(paths: readonly string[]): Promise<string> {
  const dated = await Promise.all(
    paths.filter((path) => path !== '').map(async (path) => ({ path, atMs: await modifiedAt(path) })),
  );
  return dated.filter(({ atMs }) => atMs > 0).sort((a, b) => b.atMs - a.atMs)[0]?.path ?? '';
}

const entriesOf = (directory: string): Promise<string[]> =>
  readdir(fileURLToPath(directory)).catch(whenMissing([] as string[]));

/** 0 when it is not there. */
async function modifiedAt(path: string): Promise<number> {
  if (!path.startsWith('file:')) return 1;
  const metadata = await stat(join(fileURLToPath(path), '_metadata')).catch(whenMissing(undefined));
  return metadata?.mtimeMs ?? 0;
}

/** A directory that cannot be read is an error, never "none": state would be thrown away. */
function whenMissing<T>(otherwise: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code === 'ENOENT') return otherwise;
    throw new Error(`the snapshots cannot be looked at: ${reasonOf(error)}`, { cause: error });
  };
}
