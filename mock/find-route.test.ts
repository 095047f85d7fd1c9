import { describe, expect, test } from 'vitest';
import { answerOf, jsonOf } from '../tests/support/mock-routes.ts';

const path = '/data/2.5/find';

function namesOf(query: string): string[] {
  return jsonOf(path, query).list.map(({ name }: { name: string }) => name);
}

describe('finding cities', () => {
  test.each([
    ['q=london', ['London']],
    ['q=London,UK', ['London']],
    ['q=Lon', []],
    ['q=Lon&type=like', ['London', 'Longyearbyen']],
    ['q=Lon,GB&type=like', ['London']],
    ['q=Atlantis', []],
    ['lat=51.5&lon=0&cnt=3', ['London', 'Paris', 'Berlin']],
  ])('%s finds %j', (query, names) => {
    expect(namesOf(query)).toEqual(names);
  });

  test('around a place there are five by default and fifty at most', () => {
    expect(namesOf('lat=51.5&lon=0')).toHaveLength(5);
    expect(namesOf('lat=51.5&lon=0&cnt=1000')).toHaveLength(50);
  });

  test('nothing found is an empty list and no refusal', () => {
    expect(jsonOf(path, 'q=Atlantis')).toEqual({ message: 'accurate', cod: '200', count: 0, list: [] });
  });

  test('two letters are no question', () => {
    expect(answerOf(path, 'q=Lo')).toEqual({ status: 400, body: '{"cod":"400","message":"bad query"}' });
  });

  test('the weather of a city is that of the current weather', () => {
    const [{ sys, ...found }] = jsonOf(path, 'q=Oslo&units=metric').list;
    expect(jsonOf('/data/2.5/weather', 'q=Oslo&units=metric')).toMatchObject(found);
    expect(sys).toEqual({ country: 'NO' });
  });
});
