/** Activities on a pipeline's source: polls what is due in one shard of the registry and publishes what is new. */
import { activityInfo, cancellationSignal, heartbeat } from '@temporalio/activity';
import pMap from 'p-map';
import type { KafkaClient, OutgoingRecord } from '../clients/kafka.ts';
import type { Database } from '../clients/postgres.ts';
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

/** What a run did, in numbers of locations; `due` = `published` + `unchanged` + `failed` + `rejected`. */
export interface PollSummary {
  readonly due: number;
  readonly called: number;
  readonly published: number;
  readonly unchanged: number;
  readonly failed: number;
  readonly rejected: number;
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
    const answer = await source.poll(
      { entityId: location.entity_id, name: location.name },
      cancellationSignal(),
    );
    if (answer.kind !== 'observation') {
      logger.warn(
        { entityId: location.entity_id, outcome: answer.kind, reason: answer.reason },
        'no observation from the source',
      );
    }
    return { location, answer, polledAt: now() };
  };

  return {
    /** Polls the due locations of a shard. A location that fails does not fail the run; it stays due for the next. */
    async pollShard(input: PollShardInput): Promise<PollSummary> {
      const { pipeline, source: sourceName, shard, shards, scheduledAt } = input;
      const definition = pipelines[pipeline];
      const source = sources[pipeline];
      if (definition === undefined || source === undefined)
        throw new Error(`there is no pipeline "${pipeline}"`);
      const run = [pipeline, sourceName, shard, scheduledAt] as const;
      await database.query('begin-ingest-run', [...run, now(), activityInfo().workflowExecution?.runId]);
      const locations = await database.query<LocationRow>('locations-of-shard', [
        pipeline,
        sourceName,
        shard,
        shards,
        now(),
      ]);
      const due = locations.filter((row) =>
        isDue(
          { entityId: row.entity_id, cadenceMinutes: row.cadence_minutes, polledAt: row.polled_at },
          now(),
        ),
      );
      const counts = { published: 0, unchanged: 0, failed: 0, rejected: 0 };
      for (let from = 0; from < due.length; from += BATCH) {
        heartbeat(from);
        const outcomes = await pMap(due.slice(from, from + BATCH), (location) => poll(source, location), {
          concurrency: CONCURRENT_CALLS,
        });
        const answered = outcomes.flatMap(({ location, answer, polledAt }) =>
          answer.kind === 'observation' ? [{ location, polledAt, ...answer }] : [],
        );
        const fresh = answered.filter(
          ({ location, observedAt }) => observedAt.getTime() !== location.observed_at?.getTime(),
        );
        const records = fresh.map(
          ({ location, body, polledAt }): OutgoingRecord => ({
            key: String(location.entity_id),
            value: body,
            headers: {
              source: sourceName,
              pipeline,
              scheduled_at: scheduledAt,
              fetched_at: polledAt.toISOString(),
            },
          }),
        );
        await kafka.publish(definition.topics.live.name, records);
        // After publishing: a crash in between repeats records, which are duplicates downstream; the other order would lose them.
        await database.query('record-polls', [
          pipeline,
          sourceName,
          answered.map(({ location }) => location.entity_id),
          answered.map(({ polledAt }) => polledAt),
          answered.map(({ observedAt }) => observedAt),
        ]);
        counts.published += fresh.length;
        counts.unchanged += answered.length - fresh.length;
        for (const { answer } of outcomes) if (answer.kind !== 'observation') counts[answer.kind] += 1;
      }
      const summary = { due: due.length, called: due.length, ...counts };
      await database.query('finish-ingest-run', [
        ...run,
        now(),
        summary.due,
        summary.called,
        summary.published,
        summary.unchanged,
        summary.failed,
        summary.rejected,
      ]);
      return summary;
    },
  };
}

export type SourceActivities = ReturnType<typeof createSourceActivities>;
