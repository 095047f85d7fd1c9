/** Makes the input once: into one Kafka topic or several, and into the truth that every result is compared with. */
import { inputBatches } from './records.ts';
import type { BenchStack } from './stack.ts';
import { createTruth, type Truth } from './tables.ts';
import { type BenchTopics, publish } from './topics.ts';

export async function loadInput(
  stack: BenchStack,
  topics: readonly BenchTopics[],
  records: number,
): Promise<Truth> {
  const startedAt = Date.now();
  const truth = await createTruth(stack);
  for (const batch of inputBatches({ records, endSeconds: Math.floor(startedAt / 1_000) })) {
    await truth.add(batch);
    for (const each of topics) await publish(stack, each, batch);
  }
  const finished = await truth.finish();
  const tookSeconds = Math.round((Date.now() - startedAt) / 1_000);
  console.error(
    `  input: ${finished.observations} observations of ${finished.hours} hours, ${tookSeconds} s`,
  );
  return finished;
}
