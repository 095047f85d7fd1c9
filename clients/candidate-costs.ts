/** What a candidate would take: the log that it reads, the slots that it needs, and the room of its tables. */
import { candidateSinks } from '../domain/candidates.ts';
import { type ReplayEstimate, replayEstimate } from '../domain/replay-estimate.ts';
import type { FlinkRestClient } from './flink-rest.ts';
import { type JobVersion, PARALLELISM } from './job-versions.ts';
import type { KafkaClient } from './kafka.ts';
import type { Queries } from './postgres.ts';
import { sizeOfTables } from './shadow-tables.ts';

export interface CandidateCosts {
  readonly replay: ReplayEstimate;
  readonly slots: number;
  readonly freeSlots: number;
  /** What the real tables take: the candidate's take no more. */
  readonly bytes: number;
}

interface CostDoors {
  readonly database: Queries;
  readonly kafka: Pick<KafkaClient, 'watermarks'>;
  readonly rest: Pick<FlinkRestClient, 'overview'>;
}

/** @throws NotShadowableError, KafkaRequestError, FlinkUnreachableError, PostgresError */
export async function candidateCosts(
  { database, kafka, rest }: CostDoors,
  { statements, settings }: JobVersion,
  topics: readonly string[],
): Promise<CandidateCosts> {
  const tables = candidateSinks(statements).map(({ table }) => table);
  return {
    replay: await replayOf(kafka, topics),
    slots: Number(settings[PARALLELISM] ?? 1),
    freeSlots: (await rest.overview()).freeSlots,
    bytes: await sizeOfTables(database, tables),
  };
}

/** What the log of these topics holds. */
export async function replayOf(
  kafka: Pick<KafkaClient, 'watermarks'>,
  topics: readonly string[],
): Promise<ReplayEstimate> {
  let records = 0;
  for (const topic of topics)
    for (const { low, high } of await kafka.watermarks(topic)) records += high - low;
  return replayEstimate(records);
}

/**
 * When the oldest record that is left of each partition was published, of those that have lost any; now for one that has lost all.
 * None when the whole log is there.
 */
export async function oldestRecords(
  kafka: Pick<KafkaClient, 'watermarks' | 'read'>,
  topics: readonly string[],
): Promise<readonly Date[]> {
  const oldest: Date[] = [];
  for (const topic of topics) {
    const cut = (await kafka.watermarks(topic)).filter(({ low }) => low > 0);
    oldest.push(...cut.filter(({ low, high }) => low >= high).map(() => new Date()));
    const ranges = cut
      .filter(({ low, high }) => low < high)
      .map(({ partition, low }) => ({ partition, first: low, end: low + 1 }));
    await kafka.read(topic, ranges, async (records) => {
      oldest.push(...records.map(({ publishedAt }) => publishedAt));
    });
  }
  return oldest;
}
