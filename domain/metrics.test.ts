import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type MetricDefinition, renderMetrics } from './metrics.ts';

const definition: MetricDefinition = {
  name: 'hourglass_lag',
  type: 'gauge',
  help: 'Records to come.',
  labels: ['topic'],
};

/** What a scraper makes of a line: the value of each label, and the number. */
function parse(line: string): { labels: Record<string, string>; value: number } {
  const [, pairs = '', value = ''] = /^[a-z_]+(?:\{(.*)\})? (\S+)$/s.exec(line) ?? [];
  const labels = [...pairs.matchAll(/([a-z]+)="((?:[^"\\]|\\.)*)"/g)].map(([, name = '', text = '']) => [
    name,
    text.replace(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped)),
  ]);
  return { labels: Object.fromEntries(labels), value: value === '+Inf' ? Infinity : Number(value) };
}

describe('metrics as text', () => {
  test('a family is its help, its type and a line for each sample', () => {
    const samples = [
      { labels: { topic: 'live' }, value: 3 },
      { labels: {}, value: 0.25 },
    ];
    expect(renderMetrics([{ definition, samples }])).toBe(
      [
        '# HELP hourglass_lag Records to come.',
        '# TYPE hourglass_lag gauge',
        'hourglass_lag{topic="live"} 3',
        'hourglass_lag 0.25',
        '',
      ].join('\n'),
    );
  });

  test('a family of which nothing is known is absent', () => {
    expect(renderMetrics([{ definition, samples: [] }])).toBe('');
  });

  test('whatever stands in a label or is its value, a scraper reads the same, and one sample stays one line', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.oneof(fc.double({ noNaN: true, min: 0 }), fc.constant(Number.POSITIVE_INFINITY)),
        (topic, value) => {
          const text = renderMetrics([{ definition, samples: [{ labels: { topic }, value }] }]);
          const lines = text.split('\n');
          expect(lines).toHaveLength(4);
          expect(parse(lines[2] ?? '')).toEqual({ labels: { topic }, value });
        },
      ),
    );
  });
});
