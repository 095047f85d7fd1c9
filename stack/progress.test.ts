import { describe, expect, test } from 'vitest';
import { createProgress, type ProgressEvent } from './progress.ts';

function recorded() {
  const events: ProgressEvent[] = [];
  const progress = createProgress((event) => events.push(event));
  return { progress, told: () => events.map(({ step, status, text }) => [step, status, text]) };
}

describe('a step', () => {
  test('is told with its begin, its details and its end, and returns what its work returned', async () => {
    const { progress, told } = recorded();
    const result = await progress.step('Kafka', async (detail) => {
      detail('half way');
      return 42;
    });
    expect(result).toBe(42);
    expect(told()).toEqual([
      ['Kafka', 'running', ''],
      ['Kafka', 'running', 'half way'],
      ['Kafka', 'done', expect.stringMatching(/^\d+\.\d s$/)],
    ]);
  });

  test('says at its end the text it returned, or what is made of its result', async () => {
    const { progress, told } = recorded();
    await progress.step('Topics', async () => 'two topics');
    await progress.step(
      'Java',
      async () => ({ version: 17 }),
      ({ version }) => `Java ${version}`,
    );
    expect(told().filter(([, status]) => status === 'done')).toEqual([
      ['Topics', 'done', expect.stringMatching(/^two topics, \d+\.\d s$/)],
      ['Java', 'done', expect.stringMatching(/^Java 17, \d+\.\d s$/)],
    ]);
  });

  test('that fails says the first line of the reason and throws it on', async () => {
    const { progress, told } = recorded();
    const failing = progress.step('Flink', async () => {
      throw new Error('no jars\nwith a long log');
    });
    await expect(failing).rejects.toThrow('no jars\nwith a long log');
    expect(told().at(-1)).toEqual(['Flink', 'failed', 'no jars']);
  });
});

test('a note is told as it is, at an instant', () => {
  const { progress, told } = recorded();
  progress.note('PostgreSQL', 'its data is kept elsewhere');
  expect(told()).toEqual([['PostgreSQL', 'note', 'its data is kept elsewhere']]);
});
