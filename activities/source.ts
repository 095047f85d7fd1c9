/** Activities on a pipeline's source: polls what is due in one shard of the registry and publishes what is new. */
import { setMaxListeners } from 'node:events';
import { activityInfo, cancellationSignal } from '@temporalio/activity';
import type { CallBudget } from '../clients/call-budget.ts';
import type { KafkaClient } from '../clients/kafka.ts';
import type { Database } from '../clients/postgres.ts';
import { HourglassError, ofPipeline } from '../domain/errors.ts';
import type { PipelineDefinition, PipelineSource } from '../schemas/pipeline.ts';
import type { IngestInput } from '../schemas/workflow-inputs.ts';
import { createBatcher } from './batches.ts';
import { beginIngestRun, type PollSummary } from './ingest-run.ts';
import { type PollOutcome, pollLocations } from './poller.ts';
import { withPulse } from './pulse.ts';

export interface SourceDeps {
  readonly database: Database;
  readonly kafka: KafkaClient;
  readonly pipelines: Readonly<Record<string, PipelineDefinition>>;
  readonly sources: Readonly<Record<string, PipelineSource>>;
  /** What `sources` call: records carry it, and sources never mix. */
  readonly sourceName: string;
  /** Of the key that each pipeline's source is called with. */
  readonly budgets: Readonly<Record<string, CallBudget>>;
  /** So many calls are under way at once, at most. */
  readonly concurrency: number;
  /** The calls of a run spread over so many milliseconds. */
  readonly spreadMs: number;
  readonly now: () => Date;
  readonly logger: { warn(details: object, message: string): void };
}

export interface PollShardInput extends IngestInput {
  readonly scheduledAt: string;
}

/** Thrown for a run of another source than the worker calls: its schedule is left from another configuration. */
export class WrongSourceError extends HourglassError {
  constructor(wanted: string, configured: string) {
    super(
      'WRONG_SOURCE',
      `The run is to poll ${wanted}, but this worker calls ${configured}: delete the schedule, or configure the worker for its source.`,
    );
  }
}

/** So many locations are published and recorded at once: what a killed worker may publish a second time. */
const BATCH = 100;
const BATCH_WAIT_MS = 1_000;
/** Shorter than the activity may take, so that a run that is out of time can still write down what it did not do. */
const MOST_MS = 180_000;

export function createSourceActivities(deps: SourceDeps) {
  const { database, kafka, pipelines, sources, sourceName, budgets, concurrency, spreadMs, now, logger } =
    deps;

  const partsOf = ({ pipeline, source: wanted }: Pick<IngestInput, 'pipeline' | 'source'>) => {
    if (wanted !== sourceName) throw new WrongSourceError(wanted, sourceName);
    return {
      definition: ofPipeline(pipelines, pipeline),
      source: ofPipeline(sources, pipeline),
      budget: ofPipeline(budgets, pipeline),
    };
  };

  const warnOf = ({ location: { entityId }, answer }: PollOutcome): void => {
    if (answer.kind === 'observation' || answer.kind === 'skipped') return;
    logger.warn({ entityId, outcome: answer.kind, reason: answer.reason }, 'no observation from the source');
  };

  return {
    /**
     * Polls the due locations of a shard; each ends with a record, a poll that brought nothing new, or an exception with its
     * reason. A location that fails does not fail the run; that the source refuses everybody, is away, or no call is left is
     * the run's `error`, and the next run asks again. A retry goes on with those that have no outcome yet.
     */
    async pollShard(run: PollShardInput): Promise<PollSummary> {
      const { definition, source, budget } = partsOf(run);
      const { workflowExecution, scheduledTimestampMs } = activityInfo();
      const workflowRunId = workflowExecution?.runId ?? '';
      // From the first try on: a retry has only what that one left.
      const deadlineMs = performance.now() + MOST_MS - Math.max(0, now().getTime() - scheduledTimestampMs);
      const signal = cancellationSignal();
      // Each call under way and each wait for a turn listens to it.
      setMaxListeners(0, signal);
      return withPulse(async () => {
        const doors = { database, kafka, now };
        const record = await beginIngestRun(doors, run, definition.topics, workflowRunId);
        const batcher = createBatcher<PollOutcome>({
          size: BATCH,
          everyMs: BATCH_WAIT_MS,
          handOn: record.take,
        });
        const polled = pollLocations(await record.locations(), {
          ...{ source, budget, concurrency, spreadMs, deadlineMs, now, signal },
          ...{ scheduledAt: new Date(run.scheduledAt), startedAt: record.startedAt },
          onOutcome(outcome) {
            warnOf(outcome);
            batcher.add(outcome);
          },
        });
        // What was answered before something broke is published too.
        const refusal = await polled.finally(() => batcher.close());
        return record.finish(refusal?.message);
      });
    },
  };
}

export type SourceActivities = ReturnType<typeof createSourceActivities>;
