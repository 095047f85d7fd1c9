/** What the hand-written consumer is told on its standard input: a password has no place among the arguments of a process. */
import { z } from 'zod';

export const consumerOptionsSchema = z.object({
  brokers: z.array(z.string()).min(1),
  topics: z.array(z.string()).min(1),
  group: z.string(),
  /** How much of each partition is fetched, and stored in one transaction, at once. */
  bytesPerPartition: z.int().min(1),
  postgres: z.object({
    host: z.string(),
    port: z.number(),
    database: z.string(),
    user: z.string(),
    password: z.string(),
    schema: z.string(),
  }),
});

export type ConsumerOptions = z.infer<typeof consumerOptionsSchema>;
