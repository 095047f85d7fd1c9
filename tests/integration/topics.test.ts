import { type Admin, ConfigResourceTypes, Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { kafkaBrokers } from '../../config/addresses.ts';
import { weather } from '../../pipelines/weather/definition.ts';
import { config } from '../support/shared-stack.ts';

const topics = Object.values(weather.topics);
let admin: Admin;

beforeAll(async () => {
  admin = new Kafka({ brokers: [...kafkaBrokers(config)], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
});
afterAll(() => admin?.disconnect());

test('each topic keeps its records for as long as it declares, uncompacted, with the time of publishing', async () => {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: topics.map(({ name }) => ({ type: ConfigResourceTypes.TOPIC, name })),
  });
  const found = resources.map(({ resourceName, configEntries }) => {
    const entry = (key: string) => configEntries.find(({ configName }) => configName === key)?.configValue;
    return [resourceName, entry('retention.ms'), entry('cleanup.policy'), entry('message.timestamp.type')];
  });
  expect(found.sort()).toEqual(
    topics.map(({ name, retentionMs }) => [name, String(retentionMs), 'delete', 'LogAppendTime']).sort(),
  );
  expect(weather.topics.live.retentionMs).toBe(7 * 24 * 3_600_000);
});

test('the live topic has at least four partitions', async () => {
  const { topics: described } = await admin.fetchTopicMetadata({ topics: [weather.topics.live.name] });
  expect(described[0]?.partitions.length).toBeGreaterThanOrEqual(4);
});
