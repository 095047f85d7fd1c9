import { expect, test } from 'vitest';
import { createAirLineReader } from './file.ts';

const now = new Date('2026-01-02T00:00:00Z');
const oslo = { entityId: 7, name: 'Oslo', country: 'NO', lat: 60, lon: 11 };
const read = createAirLineReader({
  units: 'metric',
  locationOf: (id) => (id === 7 ? oslo : undefined),
  now: () => now,
});

test('a line is a record as the live topic has it, of a location that is registered', () => {
  const line = '{"id":7,"dt":1767225600,"main":{"aqi":1}}';
  expect(read(line)).toEqual({
    ...{ kind: 'record', entityId: 7, body: line },
    observedAt: new Date('2026-01-01T00:00:00Z'),
  });
  expect(read(line.replace('7', '8'))).toEqual({
    kind: 'malformed',
    reason: 'City 8 is not registered: `hourglass locations add` registers it.',
  });
  expect(read('{"id":7,"dt":1767225600}')).toMatchObject({ kind: 'malformed' });
  expect(read('nothing')).toMatchObject({ kind: 'malformed' });
});
