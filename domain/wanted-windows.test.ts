import { describe, expect, test } from 'vitest';
import { createWantedWindows } from './wanted-windows.ts';

const batch = {
  ...{ key: 'b', path: 'batch' as const },
  windows: { firstDay: '2026-01-01', entities: [{ id: 1, hours: [0b110, 0, 1 << 23] }] },
};
const stream = {
  ...{ key: 's', path: 'stream' as const },
  windows: {
    firstDay: '2026-01-03',
    entities: [
      { id: 1, hours: [0b1] },
      { id: 2, hours: [0b1] },
    ],
  },
};
const wanted = createWantedWindows([batch, stream]);
const keyOf = (entityId: number, at: string): string | undefined => wanted(entityId, new Date(`${at}Z`))?.key;

describe('an observation', () => {
  test('belongs to the chunk that holds its hour, from its first millisecond to its last', () => {
    expect(keyOf(1, '2026-01-01T00:59:59.999')).toBeUndefined();
    expect(keyOf(1, '2026-01-01T01:00:00')).toBe('b');
    expect(keyOf(1, '2026-01-01T02:59:59.999')).toBe('b');
    expect(keyOf(1, '2026-01-01T03:00:00')).toBeUndefined();
  });

  test('of a day that two chunks share belongs to the one that has its hour, in whatever order they are asked for', () => {
    const asked = [
      '2026-01-03T00:10:00',
      '2026-01-03T23:10:00',
      '2026-01-03T00:20:00',
      '2026-01-03T12:00:00',
    ];
    expect(asked.map((at) => keyOf(1, at))).toEqual(['s', 'b', 's', undefined]);
    expect(wanted(1, new Date('2026-01-03T00:10:00Z'))).toEqual({ key: 's', path: 'stream' });
  });

  test('of an entity or a day that no chunk has belongs to none', () => {
    expect(keyOf(2, '2026-01-03T00:10:00')).toBe('s');
    expect(keyOf(2, '2026-01-01T01:10:00')).toBeUndefined();
    expect(keyOf(2, '2025-12-31T23:10:00')).toBeUndefined();
    expect(keyOf(3, '2026-01-01T01:10:00')).toBeUndefined();
    expect(keyOf(1, '1969-12-31T23:10:00')).toBeUndefined();
  });
});
