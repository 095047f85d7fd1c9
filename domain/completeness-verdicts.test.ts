import { describe, expect, test } from 'vitest';
import { COMPLETENESS_FACTS, factsOf, maskOf, type WindowFacts } from './completeness-facts.ts';
import {
  COMPLETENESS_REASONS,
  COMPLETENESS_VERDICTS,
  type CompletenessReason,
  completenessReasons,
  completenessVerdicts,
  type Judgement,
  judgeWindow,
  rulingTable,
  verdictTable,
} from './completeness-verdicts.ts';

const table = verdictTable().map((judgement, mask) => ({ mask, facts: factsOf(mask), ...judgement }));

/** Whether a window can have all of these at once. Others are judged too, as the table is total, but mean nothing. */
function isPossible(facts: WindowFacts): boolean {
  if (facts.isEnough && !facts.hasSome) return false;
  const wasUneven = facts.runIsMissing || facts.callFailed || facts.publishedNotStored || facts.isEnough;
  if (facts.sourceWasUnchanged && wasUneven) return false;
  return !(facts.sourceIsExhausted && facts.historyIsUnasked);
}
const possible = table.filter(({ facts }) => isPossible(facts));

/** Which fact a reason needs. */
const proofs: Readonly<Record<CompletenessReason, (facts: WindowFacts) => boolean>> = {
  run_missing: ({ runIsMissing }) => runIsMissing,
  api_failed: ({ callFailed }) => callFailed,
  source_unchanged: ({ sourceWasUnchanged, sourceIsExhausted }) => sourceWasUnchanged || sourceIsExhausted,
  record_rejected: ({ recordWasRejected }) => recordWasRejected,
  not_yet_processed: ({ isBehind }) => isBehind,
  published_not_stored: ({ publishedNotStored }) => publishedNotStored,
  aggregate_wrong: ({ aggregateAgrees }) => !aggregateAgrees,
  unknown: () => true,
};

/** Each possible set of facts has it. */
function expectAlways(isSo: (entry: { readonly facts: WindowFacts } & Judgement) => boolean): void {
  const names = (mask: number): string[] =>
    COMPLETENESS_FACTS.filter((fact) => factsOf(mask)[fact as keyof WindowFacts]);
  expect(possible.filter((entry) => !isSo(entry)).map(({ mask }) => names(mask))).toEqual([]);
}

describe('the table', () => {
  test('has a judgement for every set of facts', () => {
    expect(table).toHaveLength(2 ** COMPLETENESS_FACTS.length);
    for (const { verdict, reason } of table) {
      expect(COMPLETENESS_VERDICTS).toContain(verdict);
      if (reason !== null) expect(COMPLETENESS_REASONS).toContain(reason);
    }
  });

  test('comes to each verdict and each reason by facts that a window can have', () => {
    expect(new Set(possible.map(({ verdict }) => verdict))).toEqual(new Set(COMPLETENESS_VERDICTS));
    const reasons = new Set(possible.flatMap(({ reason }) => reason ?? []));
    expect(reasons).toEqual(new Set(COMPLETENESS_REASONS));
  });

  test('depends on every fact', () => {
    for (const fact of COMPLETENESS_FACTS) {
      const bit = maskOf({ [fact]: true });
      const matters = table.some(({ mask, verdict, reason }) => {
        const other = table[mask ^ bit];
        return verdict !== other?.verdict || reason !== other.reason;
      });
      expect(matters, fact).toBe(true);
    }
  });

  test('is the same for the query', () => {
    const { rulings, placeByMask } = rulingTable();
    expect(placeByMask.map((place) => rulings[place - 1])).toEqual(verdictTable());
    expect(rulings.length).toBeLessThan(50);
  });
});

describe('a window', () => {
  test('is open as long as its hour is not over, whatever else is known', () => {
    expectAlways(({ facts, verdict }) => (verdict === 'open') === facts.isOpen);
  });

  test('that is over, has enough and agrees is complete, and nothing worse', () => {
    expectAlways(
      ({ facts, verdict }) =>
        facts.isOpen ||
        (facts.isEnough && facts.aggregateAgrees) === (verdict === 'complete' || verdict === 'repaired'),
    );
  });

  test('is good only if its row is the aggregate of its observations', () => {
    expectAlways(
      ({ facts, verdict }) => facts.isOpen || !completenessVerdicts[verdict].isGood || facts.aggregateAgrees,
    );
  });

  test('that has enough, but does not agree, is mismatched unless somebody is about to mend it or has given up', () => {
    expectAlways(
      ({ facts, verdict }) =>
        facts.isOpen ||
        !facts.isEnough ||
        facts.aggregateAgrees ||
        ['mismatched', 'behind', 'repairing', 'unrepairable'].includes(verdict),
    );
  });

  test('is behind, as long as the stream is, if it is not complete: nothing is repaired or given up before', () => {
    expectAlways(
      ({ facts, verdict }) =>
        facts.isOpen ||
        (facts.isEnough && facts.aggregateAgrees) ||
        facts.isBehind === (verdict === 'behind'),
    );
  });

  test('is repairing only while a repair is under way, and repaired only when none is', () => {
    expectAlways(({ facts, verdict }) => verdict !== 'repairing' || facts.isUnderRepair);
    expectAlways(
      ({ facts, verdict }) => verdict !== 'repaired' || (facts.wasRepaired && !facts.isUnderRepair),
    );
  });

  test('under repair is not to be repaired once more', () => {
    expectAlways(({ facts, verdict }) => !facts.isUnderRepair || !completenessVerdicts[verdict].needsRepair);
  });

  test('is unrepairable only after the last attempt, and is not to be repaired then', () => {
    expectAlways(({ facts, verdict }) => verdict !== 'unrepairable' || facts.attemptsAreUsedUp);
    expectAlways(
      ({ facts, verdict }) => !facts.attemptsAreUsedUp || !completenessVerdicts[verdict].needsRepair,
    );
  });

  test('is complete at its source only by proof: polls that brought nothing, or a history that was read to its end', () => {
    expectAlways(
      ({ facts, verdict }) =>
        verdict !== 'complete_at_source' || facts.sourceWasUnchanged || facts.sourceIsExhausted,
    );
  });

  test('of which something was published and is not stored is never complete at its source', () => {
    expectAlways(({ facts, verdict }) => verdict !== 'complete_at_source' || !facts.publishedNotStored);
  });

  test('in which the source skipped a beat is not partial', () => {
    expectAlways(({ facts, verdict }) => verdict !== 'partial' || !facts.sourceWasUnchanged);
  });

  test('without a single observation is not called complete before the history was asked', () => {
    expectAlways(
      ({ facts, verdict }) => verdict !== 'complete_at_source' || facts.hasSome || !facts.historyIsUnasked,
    );
  });

  test('is missing exactly when it has nothing, and partial when it has something', () => {
    expectAlways(({ facts, verdict }) => verdict !== 'missing' || !facts.hasSome);
    expectAlways(({ facts, verdict }) => verdict !== 'partial' || facts.hasSome);
  });

  test('has a reason exactly when there is something to explain', () => {
    expectAlways(
      ({ verdict, reason }) => (reason === null) === ['open', 'complete', 'repaired'].includes(verdict),
    );
  });

  test('has a reason that is proven; without any proof it is unknown', () => {
    expectAlways(({ facts, reason }) => reason === null || proofs[reason](facts));
    const bare = maskOf({ hasSome: true, aggregateAgrees: true });
    expect(judgeWindow(factsOf(bare))).toEqual({ verdict: 'partial', reason: 'unknown' });
  });

  test('has an unknown reason only if nothing is proven', () => {
    const others = COMPLETENESS_REASONS.filter((reason) => reason !== 'unknown');
    expectAlways(
      ({ facts, reason }) => reason !== 'unknown' || !others.some((other) => proofs[other](facts)),
    );
  });
});

test('each verdict has a symbol of its own and a sentence, and what is good needs no repair', () => {
  const verdicts = COMPLETENESS_VERDICTS.map((verdict) => completenessVerdicts[verdict]);
  expect(new Set(verdicts.map(({ symbol }) => symbol)).size).toBe(verdicts.length);
  for (const { symbol, description, isGood, needsRepair } of verdicts) {
    expect([...symbol]).toHaveLength(1);
    expect(description).toMatch(/^[A-Z].*\.$/);
    expect(isGood && needsRepair).toBe(false);
  }
  for (const { sentence } of Object.values(completenessReasons)) expect(sentence).toMatch(/^[A-Z].*\.$/);
});
