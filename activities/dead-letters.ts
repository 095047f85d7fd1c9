/**
 * Activities that replay dead letters: publish those that the contract accepts now, and find out what the stream made of them. Both
 * go through a selection in batches, and go on where a try before them was killed.
 */
import { activityInfo, heartbeat, sleep } from '@temporalio/activity';
import {
  type DeadLetterDoors,
  inspectLetters,
  type Letter,
  type LetterOutcome,
  nextLetters,
  planReplay,
  recordOutcomes,
} from '../clients/dead-letters.ts';
import { type KafkaClient, KafkaRequestError, type OutgoingRecord } from '../clients/kafka.ts';
import type { Database } from '../clients/postgres.ts';
import type { InspectRecord } from '../clients/record-accounts.ts';
import {
  countsOf,
  judgeRead,
  outcomesToPublish,
  piecesBySize,
  placeText,
  type RecordPlace,
  type ReplayCounts,
  type ReplayOutcome,
} from '../domain/dead-letter-replay.ts';
import { ofPipeline } from '../domain/errors.ts';
import type { PipelineDefinition } from '../schemas/pipeline.ts';
import type { ReplaySelection } from '../schemas/workflow-inputs.ts';

export interface DeadLetterDeps extends DeadLetterDoors {
  readonly database: Database;
  readonly kafka: Pick<KafkaClient, 'read' | 'watermarks' | 'publish' | 'committedOffsets'>;
  readonly pipelines: Readonly<Record<string, PipelineDefinition>>;
  readonly contracts: Readonly<Record<string, InspectRecord>>;
  readonly now: () => Date;
  /** How long to wait between two looks at how far the stream has read. */
  readonly pollMs: number;
}

export interface StretchInput {
  readonly selection: ReplaySelection;
  /** What the replay is known by: what it did is on record under it. */
  readonly run: string;
  /** Letters that were seen later are another replay's. */
  readonly before: string;
  /** The letter at which the stretch before ended. */
  readonly after?: RecordPlace;
}

/** What a replay has come to, and where the next stretch goes on; without `after` there is none. */
export interface StretchResult {
  readonly after?: RecordPlace;
  readonly counts: ReplayCounts;
}

/** A stretch ends with the batch in which so much time has passed: what is seen of a long replay is never much older. */
const STRETCH_MS = 60_000;

/** The broker refuses a batch of more than 2 MiB, and a record of that size alone is one. */
const PIECE_BYTES = 1_024 * 1_024;
/** Of a record besides its value: key, headers and framing. */
const OVERHEAD_BYTES = 400;

type Publishable = { readonly letter: Letter; readonly entityId: number };

export function createDeadLetterActivities(deps: DeadLetterDeps) {
  const { database, kafka, pipelines, contracts, now, pollMs } = deps;

  const known = (name: string) => ({
    pipeline: ofPipeline(pipelines, name),
    inspect: ofPipeline(contracts, name),
  });

  /** Hands over batch by batch what is left of the selection, until the stretch is long enough. */
  const walk = async (
    { selection, run, before, after: start }: StretchInput,
    outcomes: readonly string[],
    handle: (letters: readonly Letter[], beat: () => void) => Promise<void>,
  ): Promise<StretchResult> => {
    const { pipeline } = known(selection.pipeline);
    const endsAt = now().getTime() + STRETCH_MS;
    let after = (activityInfo().heartbeatDetails as RecordPlace | undefined) ?? start;
    for (;;) {
      const question = { selection, outcomes, before: new Date(before), after };
      const letters = await nextLetters(database, pipeline, question);
      const last = letters.at(-1);
      if (last === undefined) return { counts: await counts(run) };
      await handle(letters, () => heartbeat(after));
      after = { topic: last.topic, partition: last.partition, offset: last.offset };
      heartbeat(after);
      if (now().getTime() >= endsAt) return { after, counts: await counts(run) };
    }
  };

  const counts = async (run: string): Promise<ReplayCounts> =>
    countsOf(
      await database.query<{ outcome: ReplayOutcome; letters: number }>('dead-letter-outcomes-of-run', [run]),
    );

  const publish = async (pipeline: PipelineDefinition, run: string, piece: readonly Publishable[]) => {
    const { name: topic } = pipeline.topics.repairs;
    const all = (outcome: LetterOutcome['outcome'], more: object = {}): LetterOutcome[] =>
      piece.map(({ letter }) => ({ letter, outcome, ...more }));
    // Before publishing: a try that is killed in between repeats the record, which is a duplicate downstream, and the next one
    // knows that a row may have come from it. The other order would forget where a stored row came from.
    await recordOutcomes(database, run, all('publishing'));
    try {
      const places = await kafka.publish(
        topic,
        piece.map((each) => recordOf(pipeline.name, each)),
      );
      const published = piece.flatMap(({ letter }, index): LetterOutcome[] => {
        const place = places[index];
        return place === undefined ? [] : [{ letter, outcome: 'published', replayedTo: { topic, ...place } }];
      });
      await recordOutcomes(database, run, published);
    } catch (error) {
      // A record that was alone and will be refused each time, such as one too large for the broker, must not hold up the others.
      const isHopeless = error instanceof KafkaRequestError && !error.retryable && piece.length === 1;
      if (!isHopeless) throw error;
      await recordOutcomes(database, run, all('refused', { reason: error.message }));
    }
  };

  /** The partitions' offsets up to which the stream has read what is replayed. */
  const readUpTo = ({ consumerGroup, topics }: PipelineDefinition) =>
    kafka.committedOffsets(consumerGroup, topics.repairs.name);

  return {
    /**
     * Judges letters anew and publishes those that are acceptable now and not stored, as they are, to the pipeline's repairs topic.
     * @throws UnknownPipelineError, NoDeadLetterTopicError, KafkaRequestError, PostgresError
     */
    async publishDeadLetters(input: StretchInput): Promise<StretchResult> {
      const { pipeline, inspect } = known(input.selection.pipeline);
      return walk(input, outcomesToPublish(input.selection.again), async (letters, beat) => {
        const planned = await planReplay(deps, pipeline, inspect, letters, now());
        beat();
        await recordOutcomes(
          database,
          input.run,
          planned.flatMap(({ letter, decision }) => {
            if (decision.kind !== 'settle') return [];
            const { outcome, reason } = decision;
            return [{ letter, outcome, reason, replayedTo: letter.replayedTo }];
          }),
        );
        const publishable = planned.flatMap(({ letter, decision }) =>
          decision.kind === 'publish' ? [{ letter, entityId: decision.entityId }] : [],
        );
        for (const piece of piecesBySize(publishable, sizeOf, PIECE_BYTES)) {
          await publish(pipeline, input.run, piece);
          beat();
        }
      });
    },

    /**
     * Waits until the stream has read what was published, and tells what it made of it. What it has not read by `until` stays
     * `published`, for a later replay to look at. @throws as above
     */
    async settleDeadLetters(input: StretchInput & { readonly until: string }): Promise<StretchResult> {
      const { pipeline, inspect } = known(input.selection.pipeline);
      const deadline = Date.parse(input.until);
      return walk(input, ['published'], async (letters, beat) => {
        let committed = await readUpTo(pipeline);
        const isRead = ({ replayedTo }: Letter): boolean =>
          replayedTo !== undefined && (committed.get(replayedTo.partition) ?? 0) > replayedTo.offset;
        while (!letters.every(isRead) && now().getTime() < deadline) {
          beat();
          await sleep(pollMs);
          committed = await readUpTo(pipeline);
        }
        const judged = await inspectLetters(
          deps,
          pipeline,
          inspect,
          letters.filter(isRead),
          ({ replayedAt }) => replayedAt ?? now(),
        );
        const unread = letters.filter((letter) => !isRead(letter));
        await recordOutcomes(database, input.run, [
          ...judged.map(({ letter, ...found }) => ({
            ...{ letter, replayedTo: letter.replayedTo },
            ...judgeRead(found),
          })),
          // Under this run's name: it is among what this replay has come to.
          ...unread.map((letter) => ({
            ...{ letter, replayedTo: letter.replayedTo },
            outcome: 'published' as const,
          })),
        ]);
      });
    },
  };
}

const sizeOf = ({ letter }: Publishable): number => (letter.value?.length ?? 0) + OVERHEAD_BYTES;

/** Only what fits the contract is published, so it has a value; `source` is the letter's own, where it came with one. */
function recordOf(pipeline: string, { letter, entityId }: Publishable): OutgoingRecord {
  const { source } = letter.headers;
  return {
    key: String(entityId),
    value: letter.value ?? Buffer.alloc(0),
    headers: { ...(source === undefined ? {} : { source }), pipeline, replay_of: placeText(letter) },
  };
}

export type DeadLetterActivities = ReturnType<typeof createDeadLetterActivities>;
