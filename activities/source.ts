/** Activities on a pipeline's source: polls what is due in one shard of the registry and publishes what is new. */
import { activityInfo, cancellationSignal, heartbeat } from '@temporalio/activity';
import pMap from 'p-map';
import type { KafkaClient, OutgoingRecord } from '../clients/kafka.ts';
import type { Database } from '../clients/postgres.ts';
import { UnknownPipelineError } from '../domain/errors.ts';
import { isDue } from '../domain/polling.ts';
import type { PipelineDefinition, PipelineSource, PollAnswer } from '../schemas/pipeline.ts';
import type { IngestInput } from '../schemas/workflow-inputs.ts';

export interface SourceDeps {
  readonly database: Database;
  readonly kafka: KafkaClient;
  readonly pipelines: Readonly<Record<string, PipelineDefinition>>;
  readonly sources: Readonly<Record<string, PipelineSource>>;
  readonly now: () => Date;
  readonly logger: { warn(details: object, message: string): void };
}

export interface PollShardInput extends IngestInput {
  readonly scheduledAt: string;
}

interface Counts {
  readonly published: number;
  readonly unchanged: number;
  readonly failed: number;
  readonly rejected: number;
}

/** What a run did, in numbers of locations; `called` = `published` + `unchanged` + `failed` + `rejected`. */
export interface PollSummary extends Counts {
  readonly due: number;
  readonly called: number;
}

interface LocationRow {
  readonly entity_id: number;
  readonly name: string;
  readonly cadence_minutes: number;
  readonly polled_at: Date | null;
  readonly observed_at: Date | null;
}

interface PollOutcome {
  readonly location: LocationRow;
  readonly answer: PollAnswer;
  readonly polledAt: Date;
}

/** So many locations are polled, published and recorded before the next: what a killed worker may publish a second time. */
const BATCH = 100;
const CONCURRENT_CALLS = 8;

export function createSourceActivities(deps: SourceDeps) {
  const { database, kafka, pipelines, sources, now, logger } = deps;

  const poll = async (source: PipelineSource, location: LocationRow): Promise<PollOutcome> => {
    // For each call: when the source hangs, a batch of calls outlasts the heartbeat timeout.
    heartbeat();
    const answer = await source.poll(
      { entityId: location.entity_id, name: location.name },
      cancellationSignal(),
    );
    if (answer.kind !== 'observation') {
      const { kind: outcome, reason } = answer;
      logger.warn({ entityId: location.entity_id, outcome, reason }, 'no observation from the source');
    }
    return { location, answer, polledAt: now() };
  };

  /** Polls until the source refuses everybody; what was answered until then is returned beside the refusal. */
  const pollAll = async (source: PipelineSource, locations: readonly LocationRow[]) => {
    const outcomes: PollOutcome[] = [];
    let refusal: unknown;
    await pMap(
      locations,
      async (location) => {
        if (refusal !== undefined) return;
        try {
          outcomes.push(await poll(source, location));
        } catch (error) {
          refusal ??= error;
        }
      },
      { concurrency: CONCURRENT_CALLS },
    );
    return { outcomes, refusal };
  };

  const publishFresh = async (
    input: PollShardInput,
    topics: PipelineDefinition['topics'],
    outcomes: readonly PollOutcome[],
  ): Promise<Counts> => {
    const { pipeline, source, scheduledAt } = input;
    const answered = outcomes.flatMap(({ answer, ...outcome }) =>
      answer.kind === 'observation' ? [{ ...outcome, answer }] : [],
    );
    const fresh = answered.filter(
      ({ location, answer }) => answer.observedAt.getTime() !== location.observed_at?.getTime(),
    );
    const recordOf = ({ location, polledAt }: PollOutcome, value: string): OutgoingRecord => ({
      key: String(location.entity_id),
      value,
      headers: { source, pipeline, scheduled_at: scheduledAt, fetched_at: polledAt.toISOString() },
    });
    const refused = outcomes.flatMap((outcome) => {
      if (outcome.answer.kind !== 'rejected') return [];
      const { headers, ...record } = recordOf(outcome, outcome.answer.body);
      return [{ ...record, headers: { ...headers, reason: outcome.answer.reason } }];
    });
    await kafka.publish(
      topics.live.name,
      fresh.map((outcome) => recordOf(outcome, outcome.answer.body)),
    );
    await kafka.publish(topics.deadLetters.name, refused);
    // After publishing: a crash in between repeats records, which are duplicates downstream; the other order would lose them.
    await database.query('record-polls', [
      pipeline,
      source,
      answered.map(({ location }) => location.entity_id),
      answered.map(({ polledAt }) => polledAt),
      answered.map(({ answer }) => answer.observedAt),
    ]);
    const numberOf = (kind: PollAnswer['kind']): number =>
      outcomes.filter(({ answer }) => answer.kind === kind).length;
    return {
      published: fresh.length,
      unchanged: answered.length - fresh.length,
      failed: numberOf('failed'),
      rejected: numberOf('rejected'),
    };
  };

  return {
    /**
     * Polls the due locations of a shard. A location that fails does not fail the run; it stays due for the next. When the
     * source refuses everybody (a wrong key, a limit), what it answered before is published first.
     */
    async pollShard(input: PollShardInput): Promise<PollSummary> {
      const { pipeline, source: sourceName, shard, shards, scheduledAt } = input;
      const definition = pipelines[pipeline];
      const source = sources[pipeline];
      if (definition === undefined || source === undefined)
        throw new UnknownPipelineError(pipeline, Object.keys(pipelines));
      const run = [pipeline, sourceName, shard, scheduledAt] as const;
      await database.query('begin-ingest-run', [...run, now(), activityInfo().workflowExecution?.runId]);
      const locations = await database.query<LocationRow>('locations-of-shard', [
        pipeline,
        sourceName,
        shard,
        shards,
        now(),
      ]);
      const due = locations.filter(({ entity_id, cadence_minutes, polled_at }) =>
        isDue({ entityId: entity_id, cadenceMinutes: cadence_minutes, polledAt: polled_at }, now()),
      );
      let counts: Counts = { published: 0, unchanged: 0, failed: 0, rejected: 0 };
      // A run that breaks off tells what it did, but never that it finished.
      let finishedAt: Date | null = null;
      try {
        for (let from = 0; from < due.length; from += BATCH) {
          const { outcomes, refusal } = await pollAll(source, due.slice(from, from + BATCH));
          counts = sumOf(counts, await publishFresh(input, definition.topics, outcomes));
          if (refusal !== undefined) throw refusal;
        }
        finishedAt = now();
      } finally {
        const { published, unchanged, failed, rejected } = counts;
        await database.query('finish-ingest-run', [
          ...run,
          finishedAt,
          due.length,
          calledIn(counts),
          published,
          unchanged,
          failed,
          rejected,
        ]);
      }
      return { due: due.length, called: calledIn(counts), ...counts };
    },
  };
}

const calledIn = ({ published, unchanged, failed, rejected }: Counts): number =>
  published + unchanged + failed + rejected;

const sumOf = (a: Counts, b: Counts): Counts => ({
  published: a.published + b.published,
  unchanged: a.unchanged + b.unchanged,
  failed: a.failed + b.failed,
  rejected: a.rejected + b.rejected,
});

export type SourceActivities = ReturnType<typeof createSourceActivities>;
