import { describe, expect, test } from 'vitest';
import { choose, zoneAt } from './search.ts';

const springfields = [
  { name: 'Springfield', lat: 39.799, lon: -89.644, country: 'US', state: 'Illinois' },
  { name: 'Springfield', lat: 37.2153, lon: -93.2982, country: 'US', state: 'Missouri' },
];
const nobody = undefined;

describe('choosing one of the places that were found', () => {
  test('the only one is taken, and one that is picked by its number', async () => {
    expect(await choose(springfields.slice(1), 'Springfield', undefined, nobody)).toBe(springfields[1]);
    expect(await choose(springfields, 'Springfield', 2, nobody)).toBe(springfields[1]);
  });

  test('several are listed with their numbers where nobody can be asked', async () => {
    await expect(choose(springfields, 'Springfield', undefined, nobody)).rejects.toThrow(
      'There are 2 places "Springfield":\n  1  Springfield, Illinois, US (39.799, -89.644)\n  2  Springfield, Missouri, US (37.2153, -93.2982)\nChoose one of them with --pick NUMBER.',
    );
  });

  test('whoever sits at the terminal is asked', async () => {
    const asked: string[] = [];
    const answering = (answer: string) => async (question: string) => {
      asked.push(question);
      return answer;
    };
    expect(await choose(springfields, 'Springfield', undefined, answering('1'))).toBe(springfields[0]);
    expect(asked[0]).toMatch(/Which one, 1 to 2\? $/);
    await expect(choose(springfields, 'Springfield', undefined, answering(''))).rejects.toThrow('--pick');
  });

  test.each([0, 3])('a number that no place has, %i, is none', async (pick) => {
    await expect(choose(springfields, 'Springfield', pick, nobody)).rejects.toMatchObject({
      code: 'PLACE_NOT_CHOSEN',
    });
  });

  test('nothing found is said with what else to try', async () => {
    await expect(choose([], 'Osslo', 1, nobody)).rejects.toThrow('knows no place "Osslo". Try');
  });
});

describe('the time zone of a place', () => {
  const winter = new Date('2026-01-15T00:00:00Z');
  const oslo = { lat: 59.9127, lon: 10.7461 };

  test('is found by the coordinates when the source has the same offset, or says none', () => {
    expect(zoneAt(oslo, 3_600, winter)).toBe('Europe/Oslo');
    expect(zoneAt(oslo, undefined, winter)).toBe('Europe/Oslo');
  });

  test('is asked for when the source has another offset', () => {
    expect(() => zoneAt(oslo, 7_200, winter)).toThrow(
      /seems to be Europe\/Oslo, which is 3600 s east of UTC now, but OpenWeatherMap says 7200 s\. Name it with --timezone\./,
    );
  });
});
