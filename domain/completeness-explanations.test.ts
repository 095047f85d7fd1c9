import { describe, expect, test } from 'vitest';
import type { WindowEvidence } from './completeness-evidence.ts';
import { type ExplainedWindow, explainWindow } from './completeness-explanations.ts';
import {
  COMPLETENESS_REASONS,
  COMPLETENESS_VERDICTS,
  type CompletenessReason,
  completenessReasons,
} from './completeness-verdicts.ts';

const partial: ExplainedWindow = {
  windowStart: new Date('2026-01-31T23:00:00Z'),
  ...{ expected: 4, observed: 2, aggregated: 2, verdict: 'partial', reason: null, evidence: null },
  ...{ repairWorkflowId: null, attempts: 0 },
};
const explained = (reason: CompletenessReason, evidence: WindowEvidence, given = {}) =>
  explainWindow({ ...partial, reason, evidence, ...given });

/** As PostgreSQL writes an instant into JSON. */
const at = (time: string, day = '2026-01-31'): string => `${day}T${time}:00+00:00`;
const slot = (from: string, to: string) => ({ shard: 0, from: at(from), to: at(to) });
const live = { topic: 'live.v1', partition: 3 };

/** What each reason says, of the evidence that it goes with. */
const reasons: Readonly<
  Record<
    CompletenessReason,
    { evidence: WindowEvidence; given?: object; sentence: string; proofs: readonly string[] }
  >
> = {
  run_missing: {
    evidence: {
      missingRuns: [
        { shard: 0, from: at('23:50'), to: at('00:00', '2026-02-01') },
        { shard: 0, from: at('00:05', '2026-02-01'), to: at('00:15', '2026-02-01') },
      ],
    },
    sentence: 'No ingestion run was completed for its polls of 23:50 and 2026-02-01 00:05.',
    proofs: [
      'ingest_runs: shard 0 completed no run from 23:50 to 2026-02-01 00:00.',
      'ingest_runs: shard 0 completed no run from 2026-02-01 00:05 to 2026-02-01 00:15.',
    ],
  },
  api_failed: {
    evidence: {
      failedCalls: [
        ['23:10', '23:11', '23:12'].map((time) => ({
          ...{ shard: 1, scheduledAt: at(time), outcome: 'failed' as const, reason: 'timeout after 10 s.' },
        })),
        [{ shard: 1, scheduledAt: at('23:20'), outcome: 'skipped', reason: 'the run ended' }],
      ],
    },
    sentence:
      'The source did not answer: timeout after 10 s at 23:10, 23:11 and 23:12 and the run ended at 23:20.',
    proofs: [
      'ingest_exceptions: shard 1, failed: timeout after 10 s (23:10, 23:11 and 23:12).',
      'ingest_exceptions: shard 1, skipped: the run ended (23:20).',
    ],
  },
  source_unchanged: {
    evidence: {
      answeredPolls: [
        [{ shard: 0, scheduledAt: at('23:02'), outcome: 'unchanged' }],
        [{ shard: 0, scheduledAt: at('23:12'), outcome: 'stored' }],
      ],
    },
    sentence: 'The source had nothing new: its polls of 23:02 and 23:12 were answered.',
    proofs: [
      'ingest_runs: shard 0, run of 23:02: the location is among its unchanged_ids.',
      'ingest_runs: shard 0, run of 23:12: what it published of the location is stored.',
    ],
  },
  record_rejected: {
    evidence: {
      deadLetters: [{ ...live, offset: 42, reason: 'no JSON.' }],
      rejectedCalls: [[{ shard: 0, scheduledAt: at('23:10'), outcome: 'rejected', reason: 'dt is missing' }]],
    },
    sentence:
      'What came was no observation: offset 42 of live.v1, partition 3 (no JSON); the answer dt is missing at 23:10.',
    proofs: [
      'dead_letters: offset 42 of live.v1, partition 3: no JSON.',
      'ingest_exceptions: shard 0, rejected: dt is missing (23:10).',
    ],
  },
  not_yet_processed: {
    evidence: {
      reading: [
        { ...live, committed: 120, end: 130 },
        { topic: 'live.v1', partition: 1, committed: 7, end: 7 },
        { topic: 'repairs.v1', partition: 0, committed: null, end: 2 },
      ],
    },
    given: { verdict: 'behind' },
    sentence:
      'The stream has not read offsets 120 to 129 of live.v1, partition 3 and offsets 0 to 1 of repairs.v1, partition 0 yet.',
    proofs: [
      "The stream's consumer group: it had read up to offset 120 of live.v1, partition 3, when the log's end was 130.",
      "The stream's consumer group: it had committed nothing of repairs.v1, partition 0, when the log's end was 2.",
    ],
  },
  published_not_stored: {
    evidence: { published: [41, 42].map((offset) => ({ ...live, offset })) },
    sentence:
      'It was published and is not stored: offset 41 of live.v1, partition 3 and offset 42 of live.v1, partition 3.',
    proofs: [41, 42].map(
      (offset) =>
        `The log: offset ${offset} of live.v1, partition 3 is a record of the hour, and no stored row.`,
    ),
  },
  aggregate_wrong: {
    evidence: {
      figures: {
        avg: { observations: 3.4000000000000004, hourly: 3.2 },
        first: { observations: at('23:00'), hourly: null },
      },
    },
    given: { verdict: 'mismatched' },
    sentence: "The hour's row differs from its observations in avg and first.",
    proofs: [
      "avg: 3.2 in the hour's row, 3.4 from its observations.",
      `first: nothing in the hour's row, ${at('23:00')} from its observations.`,
    ],
  },
  unknown: {
    evidence: { unaccountedPolls: [slot('23:10', '23:20')] },
    sentence: 'Nothing on record says why.',
    proofs: [
      'ingest_runs: shard 0 completed a run from 23:10 to 23:20, and has neither an exception of the location nor knows it as unchanged: what it published is not stored.',
    ],
  },
};

describe('the explanation of a window', () => {
  test.each(COMPLETENESS_REASONS)(
    'fills in the reason %s from its evidence, and names each proof',
    (reason) => {
      const { evidence, given, sentence, proofs } = reasons[reason];
      expect(explained(reason, evidence, given)).toMatchObject({ reason: sentence, proofs });
    },
  );

  test.each(COMPLETENESS_REASONS)(
    'leaves no word of the reason %s open when there is no evidence',
    (reason) => {
      const { reason: sentence, proofs } = explainWindow({ ...partial, reason });
      expect(sentence).not.toMatch(/[{}]|undefined/);
      expect(sentence).toMatch(new RegExp(`^${completenessReasons[reason].sentence.slice(0, 12)}`));
      expect(proofs).toEqual([]);
    },
  );

  test('says the proofs of the reason first, and then whatever else is known', () => {
    const { proofs } = explained('api_failed', {
      ...reasons.run_missing.evidence,
      ...reasons.api_failed.evidence,
    });
    expect(proofs.map((proof) => proof.split(':')[0])).toEqual([
      ...['ingest_exceptions', 'ingest_exceptions', 'ingest_runs', 'ingest_runs'],
    ]);
  });

  test('shortens a list of many', () => {
    const slots = Array.from({ length: 9 }, (_, minute) => slot(`23:0${minute}`, `23:0${minute + 1}`));
    expect(explained('run_missing', { missingRuns: slots }).reason).toMatch(/23:05 and 3 more\.$/);
  });

  test('tells a missing row, and a row without observations, without listing every figure', () => {
    const figures = { avg: { observations: 3, hourly: null }, most: { observations: 4, hourly: null } };
    const wrong = (given: object) =>
      explained('aggregate_wrong', { figures }, { verdict: 'mismatched', ...given });
    expect(wrong({ aggregated: null })).toMatchObject({
      counts: 'at least 4 expected, 2 stored, the hour has no row',
      reason: "The hour's row differs from its observations in every figure: it has no row.",
      proofs: ['There is no row of the hour, and 2 of its observations are stored.'],
    });
    expect(wrong({ observed: 0 }).proofs).toEqual([
      "The hour's row counts 2, and no observation of it is stored.",
    ]);
  });

  test('of an hour of which a backfill has loaded all that the source has names the backfill', () => {
    const backfills = [{ backfill: 'weather-1', chunk: 'batch-1', status: 'done' }];
    expect(explained('source_unchanged', { backfills }, { verdict: 'complete_at_source' })).toMatchObject({
      reason: 'The source had nothing new: weather-1 has loaded all of its history.',
      proofs: ['backfill_chunks: batch-1 of weather-1 is done.'],
      repair: 'Nothing can be done: the source has no more of the hour.',
    });
  });
});

describe('what becomes of a window', () => {
  test.each(COMPLETENESS_VERDICTS)('is said of one that is %s', (verdict) => {
    const { repair, verdict: meaning } = explainWindow({ ...partial, verdict });
    expect(meaning).toMatch(new RegExp(`^${verdict}: .+\\.$`));
    expect(repair).toMatch(/^[A-Z].+\.$/);
  });

  test.each([
    [{ verdict: 'mismatched', aggregated: 3 }, /loads from the retained log/],
    [{ verdict: 'mismatched', aggregated: 1 }, /makes the hour anew from the stored/],
    [{ verdict: 'partial', reason: 'published_not_stored' }, /loads from the retained log/],
    [{ verdict: 'missing', observed: 0, aggregated: null }, /fetches the hour .* None was begun yet/],
    [
      { verdict: 'partial', attempts: 1, repairWorkflowId: 'backfill/a' },
      /tried once before, last by backfill\/a/,
    ],
    [{ verdict: 'repairing', repairWorkflowId: 'backfill/a' }, /under way by backfill\/a/],
    [
      { verdict: 'unrepairable', attempts: 3, repairWorkflowId: 'backfill/a' },
      /in vain 3 times, last by backfill\/a\./,
    ],
    [{ verdict: 'unrepairable', attempts: 3 }, /does not reach back to it\./],
  ] as const)('is %j', (given, repair) => {
    expect(explainWindow({ ...partial, ...given }).repair).toMatch(repair);
  });
});
