/** Activities on a pipeline's records: accounts for what the stream has read, and keeps what it could not use as dead letters. */
import { heartbeat } from '@temporalio/activity';
import type { KafkaRecord, OffsetRange } from '../clients/kafka-reader.ts';
import {
  type AccountingDoors,
  accountFor,
  type InspectRecord,
  type RecordContract,
  storeDeadLetters,
} from '../clients/record-accounts.ts';
import { ofPipeline } from '../domain/errors.ts';
import {
  addAccounts,
  emptyAccount,
  type Inspection,
  piecesOf,
  type RecordAccount,
} from '../domain/record-accounts.ts';
import type { PipelineDefinition } from '../schemas/pipeline.ts';
import type { PipelineInput } from '../schemas/workflow-inputs.ts';

export interface RecordsDeps extends AccountingDoors {
  readonly pipelines: Readonly<Record<string, PipelineDefinition>>;
  readonly contracts: Readonly<Record<string, InspectRecord>>;
  readonly logger: { warn(details: object, message: string): void };
}

/** What a run found; `expired` counts offsets that left the topic before they were accounted for. */
export interface RecordsSummary extends Omit<RecordAccount, 'unaccounted'> {
  readonly expired: number;
}

/** After so many offsets the position is written down: what a killed worker accounts for a second time. */
const STEP = 200_000;

export function createRecordsActivities(deps: RecordsDeps) {
  const { database, kafka, pipelines, contracts, logger } = deps;

  /** The offsets of a topic that are not yet accounted for. */
  const openRanges = async (topic: string, group: string | undefined) => {
    const rows = await database.query<{ partition_id: number; next_offset: number }>('record-accounts', [
      topic,
    ]);
    const next = new Map(rows.map((row) => [row.partition_id, row.next_offset]));
    const marks = await kafka.watermarks(topic);
    // Where no stream reads, the records themselves are the end.
    const ends =
      group === undefined
        ? new Map(marks.map(({ partition, high }) => [partition, high]))
        : await kafka.committedOffsets(group, topic);
    return marks.map(({ partition, low }) => {
      const from = next.get(partition) ?? 0;
      return {
        expired: next.has(partition) ? Math.max(0, low - from) : 0,
        range: { partition, first: Math.max(low, from), end: ends.get(partition) ?? 0 },
      };
    });
  };

  const accountForRange = async (
    topic: string,
    range: OffsetRange,
    contract: RecordContract,
  ): Promise<RecordAccount> => {
    let account = emptyAccount;
    for (const step of piecesOf(range, STEP)) {
      const found = await accountFor(deps, topic, step, contract, async (letters) => {
        await storeDeadLetters(database, topic, letters);
        heartbeat();
      });
      await database.query('advance-record-account', [topic, step.partition, step.end]);
      heartbeat();
      account = addAccounts(account, found);
    }
    return account;
  };

  return {
    /**
     * Goes through what the stream has committed since the last run, and through the dead-letter topic. Repeating it changes
     * nothing: a dead letter is stored under its offset.
     */
    async accountForRecords({ pipeline }: PipelineInput): Promise<RecordsSummary> {
      const { topics, consumerGroup } = ofPipeline(pipelines, pipeline);
      const inspect = ofPipeline(contracts, pipeline);
      await database.query('summarize-arrivals', [], pipeline);
      let account = emptyAccount;
      let expired = 0;
      for (const [topic, group, judge] of [
        [topics.live.name, consumerGroup, inspect],
        [topics.repairs.name, consumerGroup, inspect],
        [topics.deadLetters.name, undefined, reasonOfRefusal],
      ] as const) {
        for (const open of await openRanges(topic, group)) {
          if (open.expired > 0)
            logger.warn({ topic, ...open }, 'records left the topic before they were accounted for');
          expired += open.expired;
          account = addAccounts(
            account,
            await accountForRange(topic, open.range, { pipeline, inspect: judge }),
          );
        }
      }
      const { unaccounted, ...found } = account;
      return { ...found, deadLetters: found.deadLetters + unaccounted, expired };
    },
  };
}

/** What ingestion refused carries its reason with it. */
function reasonOfRefusal({ headers }: KafkaRecord): Inspection {
  return {
    kind: 'poison',
    reason: headers['reason'] ?? 'It was published as a dead letter, without a reason.',
  };
}

export type RecordsActivities = ReturnType<typeof createRecordsActivities>;
