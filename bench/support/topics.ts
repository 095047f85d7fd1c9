/** Puts the input into Kafka as ingestion does: the JSON as it is, the city's id as key, provenance in headers. */

import { setTimeout as delay } from 'node:timers/promises';
import { HourglassError } from '../../domain/errors.ts';
import type { MockWeather } from '../../mock/weather.ts';
import { weather } from '../../pipelines/weather/definition.ts';
import type { PipelineDefinition } from '../../schemas/pipeline.ts';
import type { BenchStack } from './stack.ts';

export type BenchTopics = PipelineDefinition['topics'];

export async function createTopics(
  { kafka }: BenchStack,
  name: string,
  partitions = weather.topics.live.partitions,
): Promise<BenchTopics> {
  const topics = {
    live: { ...weather.topics.live, name: `${name}.observations`, partitions },
    repairs: { ...weather.topics.repairs, name: `${name}.repairs`, partitions },
    history: { ...weather.topics.history, name: `${name}.history`, partitions },
    deadLetters: { ...weather.topics.deadLetters, name: `${name}.dead-letters` },
  };
  await patiently(() => kafka.ensureTopics(Object.values(topics)));
  for (const topic of Object.values(topics)) await patiently(() => kafka.watermarks(topic.name));
  return topics;
}

const ATTEMPTS = 10;
const PAUSE_MS = 1_000;

/** A broker on a busy machine answers for seconds that it does not host a topic it has just been told to make. */
async function patiently(work: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await work();
      return;
    } catch (error) {
      if (!(error instanceof HourglassError) || !error.retryable || attempt === ATTEMPTS) throw error;
      await delay(PAUSE_MS);
    }
  }
}

export async function publish(
  { kafka }: Pick<BenchStack, 'kafka'>,
  { live }: Pick<BenchTopics, 'live'>,
  batch: readonly object[],
): Promise<void> {
  const at = new Date().toISOString();
  const headers = { source: 'mock', pipeline: weather.name, scheduled_at: at, fetched_at: at };
  await kafka.publish(
    live.name,
    (batch as readonly MockWeather[]).map((document) => ({
      key: String(document.id),
      value: JSON.stringify(document),
      headers,
    })),
  );
}
