import { describe, expect, test } from 'vitest';
import { heatmapBlocks } from '../../domain/completeness-heatmap.ts';
import { COMPLETENESS_VERDICTS, completenessVerdicts } from '../../domain/completeness-verdicts.ts';
import { blockLines, legendLines, type Paint } from './heatmap-text.ts';

const plain: Paint = (text) => text;
const hour = (text: string): Date => new Date(`${text}:00:00Z`);
const oslo = { entityId: 1, name: 'Oslo' };
const long = { entityId: 2, name: 'Santiago de los Caballeros' };
const blocks = heatmapBlocks({
  ...{ from: hour('2026-01-30T21'), to: hour('2026-01-31T11'), columns: 60 },
  locations: [oslo, long],
  windows: [
    { entityId: 1, windowStart: hour('2026-01-30T21'), verdict: 'complete' },
    { entityId: 1, windowStart: hour('2026-01-30T22'), verdict: 'complete' },
    { entityId: 1, windowStart: hour('2026-01-31T00'), verdict: 'missing' },
    { entityId: 2, windowStart: hour('2026-01-31T10'), verdict: 'mismatched' },
  ],
});

describe('the map in a terminal', () => {
  test('has the day and the hours above, and a character for each window', () => {
    expect(blocks.flatMap((block) => blockLines(block, plain))).toEqual([
      '                          30  2026-01-31',
      '                          222 00000000001',
      '                          123 01234567890',
      'Oslo                      ██  M',
      'Santiago de los Caballe…                ≠',
    ]);
  });

  test('is coloured by runs of one verdict, and colour changes no character', () => {
    const painted = blocks.flatMap((block) => blockLines(block, (text, verdict) => `<${verdict}>${text}</>`));
    expect(painted[3]).toBe('Oslo                      <complete>██</>  <missing>M</>');
    expect(painted.map((line) => line.replaceAll(/<[^>]*>/g, ''))).toEqual(
      blocks.flatMap((block) => blockLines(block, plain)),
    );
  });

  test('has another character for each verdict, one column wide', () => {
    const symbols = COMPLETENESS_VERDICTS.map((verdict) => completenessVerdicts[verdict].symbol);
    expect(new Set(symbols).size).toBe(symbols.length);
    expect(symbols.map((symbol) => [...symbol].length)).toEqual(symbols.map(() => 1));
    expect(symbols).not.toContain(' ');
  });

  test('is explained by a legend that counts only what there is', () => {
    expect(legendLines({ complete: 1_180, missing: 2, open: 0 }, plain)).toEqual([
      '█ complete  1,180  It has the observations it is to have, and its row is their aggregate.',
      'M missing       2  It has no observation at all.',
    ]);
  });
});
