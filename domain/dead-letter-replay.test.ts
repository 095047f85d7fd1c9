import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  countsOf,
  countsText,
  decideReplay,
  type JudgedLetter,
  judgeRead,
  outcomesToPublish,
  ownerByPlace,
  piecesBySize,
  placeText,
  type ReplayedLetter,
  type ReplayOutcome,
  type RowOwner,
  replayOutcomes,
} from './dead-letter-replay.ts';
import type { Inspection } from './record-accounts.ts';

const names = Object.keys(replayOutcomes) as ReplayOutcome[];
const fits: Inspection = { kind: 'fits', entityId: 42, observedAt: new Date('2026-01-01T00:00:00Z') };
const poison: Inspection = { kind: 'poison', reason: 'it is poison' };
const repairs = 'a.repairs';

const judged: fc.Arbitrary<JudgedLetter> = fc.record({
  outcome: fc.constantFrom(null, ...names),
  inspection: fc.constantFrom(fits, poison),
  owner: fc.constantFrom<RowOwner>('none', 'own', 'other'),
  replayOf: fc.constantFrom(undefined, 'a.topic/0/1'),
});
const place = fc.record({
  topic: fc.constantFrom('a.topic', repairs),
  partition: fc.nat(1),
  offset: fc.nat(3),
});
const replayed: fc.Arbitrary<ReplayedLetter> = fc
  .tuple(place, fc.constantFrom(null, ...names), fc.option(place, { nil: undefined }))
  .map(([of, outcome, replayedTo]) => ({ ...of, outcome, replayedTo }));

describe('what is to happen to a letter', () => {
  test('only what the contract accepts, nobody stored and is not in Kafka already is published', () => {
    fc.assert(
      fc.property(judged, (letter) => {
        const mayBePublished =
          letter.inspection.kind === 'fits' &&
          letter.owner === 'none' &&
          letter.replayOf === undefined &&
          letter.outcome !== 'published' &&
          letter.outcome !== 'stored';
        expect(decideReplay(letter).kind === 'publish').toBe(mayBePublished);
      }),
    );
  });

  test('a decision once written down is decided again, or is waited for: nothing goes back and forth', () => {
    fc.assert(
      fc.property(judged, (letter) => {
        const decision = decideReplay(letter);
        if (decision.kind === 'publish')
          expect(decideReplay({ ...letter, outcome: 'published' })).toEqual({ kind: 'await' });
        if (decision.kind === 'settle')
          expect(decideReplay({ ...letter, outcome: decision.outcome })).toMatchObject({
            kind: 'settle',
            outcome: decision.outcome,
          });
      }),
    );
  });

  test('what is refused has a reason, and a refusal is the contract’s own words', () => {
    fc.assert(
      fc.property(judged, (letter) => {
        const decision = decideReplay(letter);
        if (decision.kind !== 'settle') return;
        expect(decision.reason !== null).toBe(decision.outcome === 'refused');
      }),
    );
    const refused = { outcome: null, inspection: poison, owner: 'none', replayOf: undefined } as const;
    expect(decideReplay(refused)).toEqual({ kind: 'settle', outcome: 'refused', reason: 'it is poison' });
  });

  test('a copy that a replay left in the repairs topic is never published again: its origin is named', () => {
    const copy = { outcome: null, inspection: fits, owner: 'none', replayOf: 'a.topic/0/1' } as const;
    expect(decideReplay(copy)).toMatchObject({
      outcome: 'refused',
      reason: 'It is itself the replay of a.topic/0/1: replay that one.',
    });
  });

  test('of a letter whose key is stored it is told by whom', () => {
    const letter = { outcome: null, inspection: fits, replayOf: undefined };
    expect(decideReplay({ ...letter, owner: 'other' })).toMatchObject({ outcome: 'duplicate' });
    expect(decideReplay({ ...letter, owner: 'own' })).toMatchObject({ outcome: 'stored' });
  });
});

describe('what a letter has become that the stream has read', () => {
  test.each([
    [fits, 'own', 'stored'],
    [fits, 'other', 'duplicate'],
    [fits, 'none', 'lost'],
    [poison, 'none', 'refused'],
  ] as const)('%j with a row of %s is %s', (inspection, owner, outcome) => {
    expect(judgeRead({ inspection, owner }).outcome).toBe(outcome);
  });

  test('is never something that has still to be waited for', () => {
    fc.assert(
      fc.property(judged, (letter) => {
        expect(replayOutcomes[judgeRead(letter).outcome].isOpen).toBe(false);
      }),
    );
  });
});

describe('whose a row is', () => {
  test('its record’s place tells, unless the letter may have been published where nobody wrote down', () => {
    fc.assert(
      fc.property(replayed, fc.option(place, { nil: undefined }), (letter, row) => {
        const owner = ownerByPlace(letter, row, repairs);
        const isOwn =
          row !== undefined &&
          [letter, letter.replayedTo].some(
            (each) => each !== undefined && placeText(each) === placeText(row),
          );
        expect(owner === 'none').toBe(row === undefined);
        expect(owner === 'own').toBe(isOwn);
        const mayBeOwn = row?.topic === repairs && letter.outcome !== null;
        expect(owner === 'unknown').toBe(mayBeOwn && !isOwn);
      }),
    );
  });
});

describe('the outcomes', () => {
  test('that a replay begins with are never those that are stored or waited for, and with `again` all others', () => {
    expect(outcomesToPublish(false)).toEqual(['none', 'publishing']);
    expect(outcomesToPublish(true)).toEqual(['none', 'publishing', 'duplicate', 'refused', 'lost']);
  });

  test('are counted, each of them, and told without those that there is none of', () => {
    const counts = countsOf([
      { outcome: 'refused', letters: 1 },
      { outcome: 'stored', letters: 2 },
    ]);
    expect(counts).toEqual({ publishing: 0, published: 0, stored: 2, duplicate: 0, refused: 1, lost: 0 });
    expect(countsText(counts)).toBe('2 stored, 1 refused');
    expect(countsText(countsOf([]))).toBe('no dead letter');
  });
});

test('pieces keep the order and every item, and are larger than allowed only where one item is', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20)), fc.integer({ min: 1, max: 30 }), (sizes, most) => {
      const pieces = piecesBySize(sizes, (size) => size, most);
      expect(pieces.flat()).toEqual(sizes);
      for (const piece of pieces) {
        expect(piece.length).toBeGreaterThan(0);
        if (piece.length > 1) expect(piece.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(most);
      }
    }),
  );
});
