import { describe, expect, test } from 'vitest';
import { mismatchOfReads, refusalOfRanges } from './load-checks.ts';

const marks = [
  { partition: 0, low: 10, high: 50 },
  { partition: 1, low: 0, high: 0 },
];
const range = (first: number, end: number, partition = 0) => ({ partition, first, end });
const reads = (records: number, first_offset: number, last_offset: number) => ({
  ...{ partition_id: 0, records, first_offset, last_offset },
});

describe('ranges of offsets', () => {
  test('can be read when the topic holds all of them', () => {
    expect(refusalOfRanges('t', [range(10, 50), range(0, 0, 1)], marks)).toBeUndefined();
    // Of a range without a record nothing has expired.
    expect(refusalOfRanges('t', [range(3, 3)], marks)).toBeUndefined();
  });

  test.each([
    [range(9, 50), 'the topic holds 10 to 50'],
    [range(10, 51), 'the topic holds 10 to 50'],
    [range(0, 1, 7), 'the topic holds no such partition'],
  ])('cannot when it does not: %j', (asked, told) => {
    const refusal = refusalOfRanges('t', [asked], marks);
    expect(refusal?.code).toBe('RECORDS_NOT_IN_TOPIC');
    expect(refusal?.message).toContain(told);
  });
});

describe('what was read', () => {
  test('agrees when each offset was', () => {
    expect(mismatchOfReads('t', [range(10, 50), range(0, 0, 1)], [reads(40, 10, 49)])).toBeUndefined();
  });

  test.each([
    [reads(39, 10, 49), '39 from 10 to 50 were read'],
    [reads(40, 9, 49), '40 from 9 to 50 were read'],
    [reads(40, 10, 50), '40 from 10 to 51 were read'],
    [undefined, 'none were read'],
  ])('does not when one is missing, or is another: %j', (found, told) => {
    const wrong = mismatchOfReads('t', [range(10, 50)], found === undefined ? [] : [found]);
    expect(wrong?.code).toBe('RECORDS_NOT_READ');
    expect(wrong?.message).toContain(told);
  });

  test('is compared with the records that there are, where offsets hold none', () => {
    const held = new Map([[0, 38]]);
    expect(mismatchOfReads('t', [range(10, 50)], [reads(38, 10, 48)], held)).toBeUndefined();
    expect(mismatchOfReads('t', [range(10, 50)], [reads(37, 10, 48)], held)?.message).toContain('(38)');
  });
});
