import { describe, expect, test } from 'vitest';
import type { JudgedWindow, WindowChange } from '../../clients/completeness-ledger.ts';
import { explanationText } from './explanation-text.ts';

const windowStart = new Date('2026-01-31T17:00:00Z');
const window: JudgedWindow = {
  ...{ entityId: 3143244, name: 'Oslo', windowStart, expected: 4, observed: 0, aggregated: null },
  ...{ verdict: 'missing', reason: 'run_missing', checkedAt: new Date('2026-01-31T18:12:04Z') },
  evidence: {
    missingRuns: Array.from({ length: 22 }, (_, minute) => ({
      shard: 0,
      from: `2026-01-31T17:${minute + 10}:00+00:00`,
      to: `2026-01-31T17:${minute + 11}:00+00:00`,
    })),
  },
  ...{ repairWorkflowId: null, attempts: 0 },
};
const change = (given: Partial<WindowChange>): WindowChange => ({
  ...{ windowStart, changedAt: window.checkedAt, previousVerdict: null, previousReason: null },
  ...{ verdict: 'missing', reason: 'run_missing' },
  ...given,
});
const textOf = (given: Partial<JudgedWindow>, changes: readonly WindowChange[] = []): string =>
  explanationText(
    {
      location: { city_id: 3143244, name: 'Oslo', country: 'NO' },
      window: { ...window, ...given },
      changes,
    },
    new Date('2026-01-31T20:12:04Z'),
  );

describe('the story of a window', () => {
  test('has the verdict, the counts, the reason, the repair, the proofs and what a person can do', () => {
    const lines = textOf({}).split('\n');
    expect(lines.slice(0, 10)).toEqual([
      'Oslo, NO (3143244), 2026-01-31T17:00Z to 2026-01-31T18:00Z',
      '',
      'Verdict  missing: It has no observation at all.',
      'Counts   at least 4 expected, 0 stored, the hour has no row',
      'Reason   No ingestion run was completed for its polls of 17:10, 17:11, 17:12, 17:13, 17:14, 17:15 and 16 more.',
      "Repair   A repair fetches the hour from the source's history, if it has one. None was begun yet.",
      'Found    2026-01-31T18:12:04, 2 h ago',
      '',
      'Proofs:',
      '  ingest_runs: shard 0 completed no run from 17:10 to 17:11.',
    ]);
    expect(lines.slice(-5)).toEqual([
      '  ingest_runs: shard 0 completed no run from 17:29 to 17:30.',
      '  and 2 more, which --json has',
      '',
      'By hand:',
      '  npx hourglass completeness check --from 2026-01-31T17:00Z --to 2026-01-31T18:00Z --city 3143244',
    ]);
  });

  test('tells what it was before, the oldest first', () => {
    const changes = [
      change({}),
      change({
        ...{ changedAt: new Date('2026-01-31T18:12:31Z'), previousVerdict: 'missing' },
        ...{ previousReason: 'run_missing', verdict: 'repaired', reason: null },
      }),
    ];
    const good = { verdict: 'repaired', reason: null, evidence: null } as const;
    expect(
      textOf({ ...good, repairWorkflowId: 'backfill/weather-1' }, changes)
        .split('\n')
        .slice(-7),
    ).toEqual([
      '',
      'Before:',
      '  2026-01-31T18:12:04  missing (run_missing)',
      '  2026-01-31T18:12:31  missing (run_missing) → repaired',
      '',
      'By hand:',
      '  npx hourglass backfill show weather-1',
    ]);
  });

  test('leads to the dead letters, to the stream, and to a backfill where nothing more is tried', () => {
    const deadLetters = [{ topic: 'live.v1', partition: 1, offset: 42, reason: 'no JSON' }];
    expect(textOf({ evidence: { deadLetters } })).toContain('npx hourglass dead-letters show live.v1 1 42');
    expect(textOf({ verdict: 'behind' })).toContain('npx hourglass job list');
    expect(textOf({ verdict: 'unrepairable', attempts: 3 })).toContain('npx hourglass backfill plan --from');
  });
});
