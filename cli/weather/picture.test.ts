import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type DayHour, dayPicture } from './picture.ts';

const HOUR_MS = 3_600_000;
const FROM = Date.parse('2026-01-30T18:00:00Z');

const hour = (index: number, given: Partial<DayHour> = {}): DayHour => ({
  window_start: new Date(FROM + index * HOUR_MS),
  observation_count: 6,
  temp_avg: 0,
  temp_min: -0.5,
  temp_max: 0.5,
  rain_mm: null,
  snow_mm: null,
  ...given,
});

const day = (give: (index: number) => Partial<DayHour> = () => ({})): readonly DayHour[] =>
  Array.from({ length: 24 }, (_, index) => hour(index, give(index)));

const picture = (hours: readonly DayHour[], width = 80, timezone = 'UTC'): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the terminal's colours
  dayPicture(hours, { timezone, width }).replace(/\u001b\[\d+m/g, '');

describe('the picture of a day', () => {
  test('draws the temperature as a line with its corners, and every third hour below it', () => {
    const hours = day((index) => ({ temp_avg: index < 12 ? -3 : index < 18 ? 4 : 0 }));
    expect(picture(hours, 40)).toBe(
      [
        ' 4.0 °C ┤            ╭─────╮',
        ' 3.0    ┤            │     │',
        ' 2.0    ┤            │     │',
        ' 1.0    ┤            │     │',
        ' 0.0    ┤            │     ╰─────',
        '-1.0    ┤            │',
        '-2.0    ┤            │',
        '-3.0    ┤────────────╯',
        '        └────────────────────────',
        '         18 21 00 03 06 09 12 15',
        '',
        'No rain and no snow in these hours.',
        '',
        'From -0.5 to 0.5 °C.',
        'Hours in UTC; the last one still runs.',
      ].join('\n'),
    );
  });

  test('draws rain and snow as bars, and says in letters which is snow', () => {
    const drawn = picture(
      day((index) => ({ rain_mm: index === 3 ? 4 : index === 4 ? 0.1 : null, snow_mm: index === 6 ? 2 : 0 })),
      40,
    );
    expect(drawn).toContain(' 4.0 mm ┤   █\n        ┤   █▁ █\n   snow        *');
    expect(drawn).toContain('6.1 mm in all');
  });

  test('marks an hour without a row, and draws no line over it', () => {
    const drawn = picture(
      day((index) =>
        index === 5 ? { observation_count: 0, temp_avg: null, temp_min: null, temp_max: null } : {},
      ),
      40,
    );
    expect(drawn).toContain('┤───── ──────────────────\n        └─────x──────');
    expect(drawn).toContain('x: no observation of this hour (1 of 24).');
  });

  test('names the hours by the clock of the place, also where they begin at half past', () => {
    const drawn = picture(day(), 40, 'Asia/Kolkata');
    expect(drawn).toContain('Hours in Asia/Kolkata, each begins at :30');
    expect(drawn).toMatch(/^ {10}00 03 06/m);
  });

  test('says nothing where there is nothing', () => {
    const drawn = picture(
      day(() => ({ observation_count: 0, temp_avg: null, temp_min: null, temp_max: null })),
    );
    expect(drawn).toContain('(24 of 24)');
    expect(drawn).not.toContain('NaN');
    expect(drawn).not.toContain('Infinity');
  });

  test('fits every terminal that has room for its labels, whatever the weather', () => {
    const figure = fc.option(fc.double({ min: -90, max: 60, noNaN: true }));
    const amount = fc.option(fc.double({ min: 0, max: 300, noNaN: true }));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(figure, amount, amount), { minLength: 24, maxLength: 24 }),
        fc.integer({ min: 10, max: 300 }),
        (figures, width) => {
          const hours = day((index) => {
            const [temp = null, rain = null, snow = null] = figures[index] ?? [];
            return { temp_avg: temp, temp_min: temp, temp_max: temp, rain_mm: rain, snow_mm: snow };
          });
          const lines = picture(hours, width).split('\n');
          const drawn = lines.slice(0, lines.lastIndexOf(''));
          for (const line of drawn.filter((each) => !each.startsWith('No rain')))
            expect(line.length).toBeLessThanOrEqual(width);
          expect(drawn.join('')).not.toMatch(/NaN|Infinity|undefined/);
        },
      ),
    );
  });
});
