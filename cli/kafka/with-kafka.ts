/** Asks the configured Kafka for a command, and closes the connection whatever happens. */
import { connectKafka, type KafkaClient } from '../../clients/kafka.ts';
import { kafkaBrokers } from '../../config/addresses.ts';
import { loadConfig } from '../../config/load.ts';

/** @throws StackNotRunningError, and what `ask` throws */
export async function withKafka<T>(ask: (kafka: KafkaClient) => Promise<T>): Promise<T> {
  const kafka = connectKafka(kafkaBrokers(loadConfig()));
  try {
    return await ask(kafka);
  } finally {
    await kafka.close();
  }
}
