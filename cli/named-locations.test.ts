import { describe, expect, test } from 'vitest';
import { fakeDatabase } from '../tests/support/fake-database.ts';
import { locationsNamed } from './named-locations.ts';

const oslo = { city_id: 1, name: 'Oslo', country: 'NO' };
const database = fakeDatabase({
  'locations-named': [
    oslo,
    { city_id: 2, name: 'Santiago', country: 'CL' },
    { city_id: 3, name: 'Santiago', country: 'DO' },
  ],
});

describe('locations on the command line', () => {
  test('are found by id, by name, and by name and country, and each is taken once', async () => {
    const found = await locationsNamed(database, 'weather', ['oslo', '1', 'Oslo, NO', 'Santiago,  cl']);
    expect(found.map(({ city_id }) => city_id)).toEqual([1, 2]);
    expect(database.askedFor('locations-named')).toEqual([[['oslo', '1', 'oslo,no', 'santiago,cl']]]);
  });

  test('that the registry does not have, or has twice, are refused', async () => {
    await expect(locationsNamed(database, 'weather', ['Atlantis'])).rejects.toThrow(/no location "Atlantis"/);
    await expect(locationsNamed(database, 'weather', ['Oslo', 'santiago'])).rejects.toThrow(
      /2 locations "santiago": Santiago, CL \(2\); Santiago, DO \(3\)\. Give the id/,
    );
  });
});
