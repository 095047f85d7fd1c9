/** `hourglass dead-letters replay --dry-run`: what would become of each letter, without changing anything. */
import {
  type LetterQuestion,
  nextLetters,
  type PlannedLetter,
  planReplay,
} from '../../clients/dead-letters.ts';
import { connectKafka } from '../../clients/kafka.ts';
import { kafkaBrokers } from '../../config/addresses.ts';
import { loadConfig } from '../../config/load.ts';
import { outcomesToPublish, type ReplayDecision } from '../../domain/dead-letter-replay.ts';
import { ofPipeline } from '../../domain/errors.ts';
import { contracts, pipelines } from '../../pipelines/index.ts';
import type { ReplaySelection } from '../../schemas/workflow-inputs.ts';
import { renderTable } from '../table.ts';
import { withDatabase } from '../with-database.ts';

export async function showPlan(selection: ReplaySelection, json: boolean | undefined): Promise<void> {
  const plan = await planOf(selection);
  const rows = plan.map(({ letter: { topic, partition, offset }, decision }) => ({
    ...{ topic, partition, offset },
    ...wouldBe(decision),
  }));
  if (json) console.log(JSON.stringify(rows, undefined, 2));
  else if (rows.length === 0) console.log('No dead letter is selected.');
  else console.log(describe(rows));
}

/** The bytes of the letters are let go of with each batch. */
async function planOf(selection: ReplaySelection): Promise<readonly PlannedLetter[]> {
  const { pipeline: name, again } = selection;
  const [pipeline, inspect] = [ofPipeline(pipelines, name), ofPipeline(contracts, name)];
  const kafka = connectKafka(kafkaBrokers(loadConfig()));
  const now = new Date();
  try {
    return await withDatabase(async (database) => {
      const plan: PlannedLetter[] = [];
      let after: LetterQuestion['after'];
      for (;;) {
        const outcomes = [...outcomesToPublish(again), 'published'];
        const letters = await nextLetters(database, pipeline, { selection, outcomes, before: now, after });
        after = letters.at(-1);
        if (after === undefined) return plan;
        const planned = await planReplay({ database, kafka }, pipeline, inspect, letters, now);
        plan.push(
          ...planned.map(({ letter, decision }) => ({ letter: { ...letter, value: null }, decision })),
        );
      }
    });
  } finally {
    await kafka.close();
  }
}

interface WouldBe {
  readonly would: string;
  readonly reason: string | null;
}

function wouldBe(decision: ReplayDecision): WouldBe {
  if (decision.kind === 'settle') return { would: decision.outcome, reason: decision.reason };
  return decision.kind === 'publish'
    ? { would: 'publish', reason: `It is acceptable now, as a record of ${decision.entityId}.` }
    : { would: 'await', reason: 'It was published before, and the stream is to read it.' };
}

function describe(
  rows: readonly (WouldBe & {
    readonly topic: string;
    readonly partition: number;
    readonly offset: number;
  })[],
): string {
  const table = renderTable(
    ['Topic', 'Part', 'Offset', 'Would', 'Why'],
    rows.map(({ topic, partition, offset, would, reason }) => [
      topic,
      String(partition),
      String(offset),
      would,
      (reason ?? '').slice(0, 100),
    ]),
    Number.POSITIVE_INFINITY,
  );
  const toPublish = rows.filter(({ would }) => would === 'publish').length;
  return `${table}\n\n${rows.length} selected, ${toPublish} would be published; nothing was changed`;
}
