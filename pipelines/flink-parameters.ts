/** The values of `${…}` in the Flink SQL of each pipeline's job. No secret is among them. */
import type { PipelineDefinition } from '../schemas/pipeline.ts';
import { pipelineOfJob } from './index.ts';

export interface FlinkAddresses {
  readonly brokers: readonly string[];
  readonly postgres: {
    readonly host: string;
    readonly port: number;
    readonly database: string;
    readonly user: string;
  };
  /** The schema that holds the tables, when it is not the database's first. */
  readonly schema?: string;
}

export function flinkParameters(job: string, addresses: FlinkAddresses): Record<string, string> {
  return parametersOf(pipelineOfJob(job), addresses);
}

export function parametersOf(
  { topics, consumerGroup }: Pick<PipelineDefinition, 'topics' | 'consumerGroup'>,
  addresses: FlinkAddresses,
): Record<string, string> {
  const { brokers, postgres, schema } = addresses;
  // Without a type of its own a text becomes whatever its column is, jsonb among them.
  const options = new URLSearchParams({
    user: postgres.user,
    stringtype: 'unspecified',
    // A batch goes as a few statements of many rows: a third of PostgreSQL's work (docs/adr/0010-settings-by-measurement.md).
    reWriteBatchedInserts: 'true',
    ...(schema === undefined ? {} : { currentSchema: schema }),
  });
  return {
    topics: `${topics.live.name};${topics.repairs.name}`,
    kafka_brokers: brokers.join(','),
    consumer_group: consumerGroup,
    jdbc_url: `jdbc:postgresql://${postgres.host}:${postgres.port}/${postgres.database}?${options}`,
  };
}
