import { describe, expect, test } from 'vitest';
import { readFlinkSql } from '../clients/sql-files.ts';
import { batchSqlValues } from '../domain/batch-job-parameters.ts';
import { renderFlinkSql } from '../domain/flink-sql.ts';
import type { BatchJobDefinition } from '../schemas/pipeline.ts';
import { flinkParameters, parametersOf } from './flink-parameters.ts';
import { batchJobs, pipelines } from './index.ts';
import { weather } from './weather/definition.ts';

const postgres = { host: 'db', port: 5432, database: 'hourglass', user: 'hourglass_pipeline' };
const exampleOf = { hour: '2026-01-31T00:00:00Z', topic: 't', name: 'n', offsets: '0:1-2' } as const;
const exampleValues = ({ parameters, ascending }: BatchJobDefinition): Record<string, string> => ({
  ...Object.fromEntries(Object.entries(parameters).map(([name, kind]) => [name, exampleOf[kind]])),
  ...Object.fromEntries(ascending.map(([, later]) => [later, '2026-02-01T00:00:00Z'])),
});
const addresses = { brokers: ['k1:9092', 'k2:9092'], postgres };

describe('the parameters of a job', () => {
  test('are the topics, the brokers, the consumer group and the database', () => {
    expect(flinkParameters(weather.job.name, addresses)).toEqual({
      topics: 'weather.observations.v1;weather.repairs.v1',
      kafka_brokers: 'k1:9092,k2:9092',
      consumer_group: 'hourglass-weather',
      jdbc_url:
        'jdbc:postgresql://db:5432/hourglass?user=hourglass_pipeline&stringtype=unspecified&reWriteBatchedInserts=true',
    });
  });

  test.each(Object.values(pipelines))('are all that the SQL of $name asks for, and no more', ({ job }) => {
    const parameters = flinkParameters(job.name, addresses);
    const statements = job.files.map(readFlinkSql);
    for (const statement of statements) expect(() => renderFlinkSql(statement, parameters)).not.toThrow();
    const asked = statements.flatMap((sql) => [...sql.matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name));
    expect([...new Set(asked)].sort()).toEqual(Object.keys(parameters).sort());
  });

  test.each(Object.values(batchJobs))(
    'and those a caller gives are all that the SQL of the batch job $name asks for',
    (job) => {
      const parameters = flinkParameters(job.name, addresses);
      const own = Object.keys(batchSqlValues(job, exampleValues(job)));
      // An address that had the name of a parameter would stand in its place.
      expect(own.filter((name) => Object.hasOwn(parameters, name))).toEqual([]);
      const asked = job.files.flatMap((file) =>
        [...readFlinkSql(file).matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name),
      );
      expect(own.filter((name) => !asked.includes(name))).toEqual([]);
      expect(asked.filter((name = '') => !own.includes(name) && !Object.hasOwn(parameters, name))).toEqual(
        [],
      );
      expect(job.ascending.flat().filter((name) => !Object.hasOwn(job.parameters, name))).toEqual([]);
    },
  );

  test('are found for every job, because no two have one name', () => {
    const names = Object.values(pipelines).flatMap(({ job, batchJobs: others }) =>
      [job, ...others].map(({ name }) => name),
    );
    expect(names).toEqual([...new Set(names)]);
    for (const name of names)
      expect(flinkParameters(name, addresses)['jdbc_url']).toContain('jdbc:postgresql:');
  });

  test('hold no secret, also when the address they are made from does', () => {
    const withPassword = { ...addresses, postgres: { ...postgres, password: 'the-secret' } };
    expect(JSON.stringify(flinkParameters(weather.job.name, withPassword))).not.toContain('the-secret');
  });

  test('no name of a user or schema can add an option to the database’s URL', () => {
    const { jdbc_url } = parametersOf(weather, {
      ...{ ...addresses, postgres: { ...postgres, user: 'a&password=b?#c d' }, schema: 's&ssl=false' },
    });
    const { searchParams } = new URL(jdbc_url?.replace('jdbc:postgresql:', 'http:') ?? '');
    expect(Object.fromEntries(searchParams)).toEqual({
      user: 'a&password=b?#c d',
      stringtype: 'unspecified',
      reWriteBatchedInserts: 'true',
      currentSchema: 's&ssl=false',
    });
  });

  test('of a job that no pipeline has are an error', () => {
    expect(() => flinkParameters('traffic-stream', addresses)).toThrow(
      'no pipeline has a job "traffic-stream"',
    );
  });
});
