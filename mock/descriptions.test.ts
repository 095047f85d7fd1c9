import { expect, test } from 'vitest';
import { mockCities, mockSeed } from '../tests/support/mock-routes.ts';
import type { Condition } from './conditions.ts';
import { describedIn } from './descriptions.ts';
import { momentWeather } from './moments.ts';

/** Every condition that half a year of all cities has, at every seventh hour. */
function seenConditions(): Condition[] {
  const seen = new Map<number, Condition>();
  for (const city of mockCities) {
    for (let hour = 0; hour < 4_380; hour += 7) {
      const { weather } = momentWeather(city, 1_767_225_600 + hour * 3_600, { seed: mockSeed });
      for (const condition of weather) seen.set(condition.id, condition);
    }
  }
  return [...seen.values()];
}

test('every condition that occurs has a description in every language', () => {
  const conditions = seenConditions();
  expect(conditions.length).toBeGreaterThanOrEqual(20);
  for (const language of ['de', 'fr', 'es', 'it']) {
    for (const [index, described] of describedIn(conditions, language).entries()) {
      const { description, ...rest } = conditions[index]!;
      expect(described).toMatchObject(rest);
      expect(described.description).not.toBe(description);
    }
  }
});

test('a language that the mock does not speak is English', () => {
  const conditions = [{ id: 800, main: 'Clear', description: 'clear sky', icon: '01d' }];
  for (const language of [null, '', 'en', 'zh_cn', 'toString']) {
    expect(describedIn(conditions, language)).toEqual(conditions);
  }
});
