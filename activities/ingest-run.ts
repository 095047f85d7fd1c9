/** The record of one run of ingestion: publishes what is new, then writes down what became of each location, batch by batch. */
import type { KafkaClient, OutgoingRecord } from '../clients/kafka.ts';
import type { Database } from '../clients/postgres.ts';
import { HourglassError } from '../domain/errors.ts';
import { isNew } from '../domain/polling.ts';
import type { PipelineDefinition, PollAnswer } from '../schemas/pipeline.ts';
import type { PollOutcome, ShardLocation } from './poller.ts';

export interface RunKey {
  readonly pipeline: string;
  readonly source: string;
  readonly shard: number;
  /** The nominal time, ISO 8601. */
  readonly scheduledAt: string;
}

/** As the queries take it. */
export const columnsOf = ({ pipeline, source, shard, scheduledAt }: RunKey) =>
  [pipeline, source, shard, scheduledAt] as const;

/** What a run did, in numbers of locations; `due` = `called` + `skipped`, `called` = `published` + `unchanged` + `failed` + `rejected`. */
export interface PollSummary {
  readonly due: number;
  readonly called: number;
  readonly published: number;
  readonly unchanged: number;
  readonly failed: number;
  readonly rejected: number;
  readonly skipped: number;
  /** A location may be called several times. */
  readonly apiCalls: number;
  /** Why the run did not go through all that were due; null when it did. */
  readonly error: string | null;
  /** So many runs before this one failed, in a row. */
  readonly failuresBefore: number;
}

interface SummaryRow extends Omit<PollSummary, 'apiCalls' | 'failuresBefore'> {
  readonly api_calls: number;
}

interface RunDoors {
  readonly database: Database;
  readonly kafka: KafkaClient;
  readonly now: () => Date;
}

export interface IngestRun {
  /** When its first try began. */
  readonly startedAt: Date;
  /** The active locations that it has not done with. */
  locations(): Promise<readonly ShardLocation[]>;
  /** Publishes a batch, then records it: a crash in between repeats these records, which are duplicates downstream. */
  take(outcomes: readonly PollOutcome[]): Promise<void>;
  /** @param error why it did not go through the whole shard */
  finish(error?: string): Promise<PollSummary>;
}

/** Thrown when a worker that was taken for dead goes on with a run that another has taken over: it publishes nothing more. */
export class OutdatedTryError extends HourglassError {
  constructor(run: string, attempt: number) {
    super(
      'OUTDATED_TRY',
      `Try ${attempt} of the ingestion run ${run} ends here: another one has begun since.`,
    );
  }
}

interface LocationRow {
  readonly entity_id: number;
  readonly name: string;
  readonly country: string;
  readonly lat: number;
  readonly lon: number;
  readonly cadence_minutes: number;
  readonly polled_at: Date | null;
  readonly recent_observed_at: readonly Date[];
}

export async function beginIngestRun(
  { database, kafka, now }: RunDoors,
  { shards, ...run }: RunKey & { readonly shards: number },
  topics: PipelineDefinition['topics'],
  workflowRunId: string,
): Promise<IngestRun> {
  const key = columnsOf(run);
  const ends = async (): Promise<string> => {
    const marks = await kafka.watermarks(topics.live.name);
    return JSON.stringify(Object.fromEntries(marks.map(({ partition, high }) => [partition, high])));
  };
  const [begun] = await database.query<{ started_at: Date; attempts: number }>('begin-ingest-run', [
    ...[...key, now(), workflowRunId, shards],
    await ends(),
  ]);
  if (begun === undefined) throw new Error(`the run ${key.join('/')} has no row`);
  const { started_at: startedAt, attempts } = begun;
  const expectPresent = (rows: readonly { readonly attempts: number }[]): void => {
    if (rows[0]?.attempts !== attempts) throw new OutdatedTryError(key.join('/'), attempts);
  };
  return {
    startedAt,
    async locations() {
      const { pipeline, source, shard, scheduledAt } = run;
      const rows = await database.query<LocationRow>(
        'locations-of-shard',
        [pipeline, source, shard, shards, scheduledAt, startedAt],
        pipeline,
      );
      return rows.map((row) => ({
        entityId: row.entity_id,
        name: row.name,
        country: row.country,
        lat: row.lat,
        lon: row.lon,
        cadenceMinutes: row.cadence_minutes,
        polledAt: row.polled_at,
        recent: row.recent_observed_at,
      }));
    },
    async take(outcomes) {
      expectPresent(await database.query('tries-of-ingest-run', key));
      const { fresh, unchangedIds } = newsOf(outcomes);
      await publish(kafka, topics, run, outcomes, fresh);
      await database.transaction(async ({ query }) => {
        const counts = countsOf(outcomes, fresh.length, unchangedIds.length);
        expectPresent(await query('count-ingest-run', [...key, ...counts, attempts, unchangedIds]));
        await query('record-polls', [run.pipeline, run.source, ...pollColumns(outcomes)]);
        await query('record-ingest-exceptions', [...key, ...exceptionColumns(outcomes)]);
      });
    },
    async finish(error) {
      const [row] = await database.query<SummaryRow>('finish-ingest-run', [
        ...[...key, now()],
        ...[error ?? null, await ends()],
      ]);
      if (row === undefined) throw new Error(`the run ${key.join('/')} has no row`);
      const { api_calls: apiCalls, ...counts } = row;
      const { failures: failuresBefore } = await streakBefore(database, run);
      return { ...counts, apiCalls, failuresBefore };
    },
  };
}

/** Runs that failed in a row before this one, and when the first of them was due. */
export async function streakBefore(
  database: Database,
  run: RunKey,
): Promise<{ readonly failures: number; readonly since: Date | null }> {
  const [row] = await database.query<{ failures: number; since: Date | null }>(
    'ingest-streak',
    columnsOf(run),
  );
  return row ?? { failures: 0, since: null };
}

async function publish(
  kafka: KafkaClient,
  topics: PipelineDefinition['topics'],
  { source, pipeline, scheduledAt }: RunKey,
  outcomes: readonly PollOutcome[],
  fresh: readonly Observed[],
): Promise<void> {
  const recordOf = ({ location, at }: PollOutcome, value: string, reason?: string): OutgoingRecord => ({
    key: String(location.entityId),
    value,
    headers: {
      ...{ source, pipeline, scheduled_at: scheduledAt, fetched_at: at.toISOString() },
      ...(reason === undefined ? {} : { reason }),
    },
  });
  const refused = outcomes.flatMap((outcome) =>
    outcome.answer.kind === 'rejected' ? [recordOf(outcome, outcome.answer.body, outcome.answer.reason)] : [],
  );
  await kafka.publish(
    topics.live.name,
    fresh.map((outcome) => recordOf(outcome, outcome.answer.body)),
  );
  await kafka.publish(topics.deadLetters.name, refused);
}

type Observed = PollOutcome & { readonly answer: Extract<PollAnswer, { readonly kind: 'observation' }> };

const isObserved = (outcome: PollOutcome): outcome is Observed => outcome.answer.kind === 'observation';

/** What was observed and not published before, and which locations repeated themselves. */
function newsOf(outcomes: readonly PollOutcome[]) {
  const fresh: Observed[] = [];
  const unchangedIds: number[] = [];
  for (const outcome of outcomes.filter(isObserved)) {
    if (isNew(outcome.answer.observedAt, outcome.location.recent)) fresh.push(outcome);
    else unchangedIds.push(outcome.location.entityId);
  }
  return { fresh, unchangedIds };
}

/** Locations whose slot is done with. Whoever could not be had, but may be soon, stays due. */
function pollColumns(outcomes: readonly PollOutcome[]): readonly unknown[] {
  const done = outcomes.filter(
    ({ answer }) =>
      answer.kind === 'observation' ||
      answer.kind === 'rejected' ||
      (answer.kind === 'failed' && !answer.retryable),
  );
  return [
    done.map(({ location }) => location.entityId),
    done.map(({ at }) => at),
    done.map(({ answer }) => (answer.kind === 'observation' ? answer.observedAt : null)),
  ];
}

function exceptionColumns(outcomes: readonly PollOutcome[]): readonly unknown[] {
  const exceptions = outcomes.flatMap(({ location, answer }) =>
    answer.kind === 'observation' ? [] : [{ entityId: location.entityId, answer }],
  );
  return [
    exceptions.map(({ entityId }) => entityId),
    exceptions.map(({ answer }) => (answer.kind === 'limited' ? 'failed' : answer.kind)),
    exceptions.map(({ answer }) => answer.reason),
  ];
}

function countsOf(outcomes: readonly PollOutcome[], fresh: number, unchanged: number): readonly number[] {
  const numberOf = (is: (outcome: PollOutcome) => boolean): number => outcomes.filter(is).length;
  return [
    ...[fresh, unchanged],
    numberOf(({ answer: { kind } }) => kind === 'failed' || kind === 'limited'),
    numberOf(({ answer: { kind } }) => kind === 'rejected'),
    numberOf(({ answer: { kind } }) => kind === 'skipped'),
    outcomes.reduce((sum, { calls }) => sum + calls, 0),
  ];
}
