import { afterAll, beforeAll, expect, test } from 'vitest';
import { weather } from '../../pipelines/weather/definition.ts';
import { createIsolatedPipeline, type IsolatedPipeline } from '../support/isolated-pipeline.ts';

let pipeline: IsolatedPipeline;

beforeAll(async () => {
  pipeline = await createIsolatedPipeline('plan');
});
afterAll(() => pipeline?.close());

/** EXPLAIN's section of that name, to the end. */
async function plan(
  settings: Readonly<Record<string, string>>,
  section = '== Optimized Execution Plan ==',
): Promise<string> {
  const statements = [...pipeline.statements];
  const job = statements.pop() ?? '';
  const explained = job.replace('EXECUTE STATEMENT SET', 'EXPLAIN STATEMENT SET');
  const { rows } = await pipeline.gateway.execute([...statements, explained], settings);
  const text = rows.flat().join('\n');
  return text.slice(text.indexOf(section));
}

const occurrences = (text: string, word: string): number => text.split(word).length - 1;

test('both tables are fed from one deduplicated stream, and no sink materializes upserts', async () => {
  const text = await plan(pipeline.settings);
  // The plan names a node once and refers to it where it is used again.
  expect(occurrences(text, 'Deduplicate(')).toBe(1);
  expect(occurrences(text, 'TableSourceScan(')).toBe(1);
  expect(occurrences(text, 'Sink(')).toBe(2);
  expect(text).not.toContain('upsertMaterialize=[true]');
  // What only loads need costs the stream nothing.
  expect(text).not.toContain('headers');
});

test('without the setting that shares it, each table would have a deduplication of its own', async () => {
  const unshared = {
    ...pipeline.settings,
    'table.optimizer.reuse-optimize-block-with-digest-enabled': 'false',
  };
  expect(occurrences(await plan(unshared), 'Deduplicate(')).toBe(2);
});

test('the hour is kept for 48 hours after its last change, and the deduplication for longer', async () => {
  const text = await plan(pipeline.settings, '== Optimized Physical Plan ==');
  const nodes = (name: string): string[] => text.split('\n').filter((line) => line.includes(`${name}(`));
  // Only the physical plan writes hints down; what it says of the aggregate stands before the execution plan's repetition.
  expect(nodes('GroupAggregate')[0]).toContain('STATE_TTL options:[48h]');
  expect(nodes('Deduplicate').length).toBeGreaterThanOrEqual(1);
  for (const node of nodes('Deduplicate')) expect(node).not.toContain('STATE_TTL');
  expect(weather.job.settings['table.exec.state.ttl']).toBe('96 h');
});
