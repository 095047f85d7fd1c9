/** Properties of the planner, against a slow reference that looks at one window after the other; chunks alone: `backfill-chunks.test.ts`. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type BackfillRequest, backfillRequestSchema } from '../schemas/backfill.ts';
import { daysOfChunk } from './backfill-chunks.ts';
import {
  type BackfillFacts,
  judgeDays,
  overlapsOf,
  type PlanInput,
  planBackfill,
  type RunningBackfill,
  SKIP_REASONS,
  type SkipReason,
  skipReasons,
} from './backfill-plan.ts';
import {
  ALL_HOURS,
  DAY_MS,
  type DayHours,
  dayNumberOf,
  dayOf,
  type EntityDay,
  HOUR_MS,
  listHours,
} from './backfill-windows.ts';

const NOW = new Date('2026-03-10T09:40:00Z');
const THIS_HOUR_MS = Date.parse('2026-03-10T09:00:00Z');
const facts: BackfillFacts = {
  streamOwnsMs: 36 * HOUR_MS,
  horizonMs: { history: 20 * DAY_MS, kafka: 7 * DAY_MS, file: null },
  hoursPerSpan: 168,
  callsPerSpan: 1,
  callsPerMinute: 6,
};

const hourAgo = fc.integer({ min: -60, max: 30 * 24 });
const requests: fc.Arbitrary<BackfillRequest> = fc
  .record({
    begin: hourAgo,
    end: hourAgo,
    input: fc.constantFrom('history', 'kafka', 'file'),
    reprocess: fc.constantFrom('missing', 'failed', 'all'),
    order: fc.constantFrom('newest', 'oldest'),
  })
  .map(({ begin, end, ...rest }) =>
    backfillRequestSchema.parse({
      pipeline: 'a-pipeline',
      from: new Date(THIS_HOUR_MS - begin * HOUR_MS).toISOString(),
      to: new Date(THIS_HOUR_MS - end * HOUR_MS).toISOString(),
      ...(rest.input === 'file' ? { file: 'a-file' } : {}),
      ...rest,
      ...(rest.input === 'kafka' ? { reprocess: 'missing' } : {}),
    }),
  );
const hours = fc.oneof(fc.constantFrom(0, ALL_HOURS), fc.integer({ min: 0, max: ALL_HOURS }));
const entityDays = (request: BackfillRequest): fc.Arbitrary<EntityDay[]> => {
  const first = Math.floor(Date.parse(request.from) / DAY_MS);
  const last = Math.max(first, Math.ceil(Date.parse(request.to) / DAY_MS) - 1);
  const days = Array.from({ length: last - first + 1 }, (_, index) => dayOf(first + index));
  return fc.tuple(
    ...days.flatMap((day) =>
      [1, 2].map((entityId) =>
        fc.record({ expected: hours, complete: hours, failed: hours, underRepair: hours }).map((known) => ({
          entityId,
          day,
          ...known,
        })),
      ),
    ),
  );
};
const inputs: fc.Arbitrary<PlanInput> = requests.chain((request) =>
  entityDays(request).map((days) => ({ request, days, now: NOW, facts, running: [], repeat: 1 })),
);
const fewer = { numRuns: 60 };

type Verdict = 'stream' | 'batch' | SkipReason;

/** Each window of the range by itself: `1/2026-03-10T09:00:00.000Z`. */
function reference({ request, days, now }: PlanInput): Map<string, Verdict> {
  const verdicts = new Map<string, Verdict>();
  for (const { entityId, day, expected, complete, failed, underRepair } of days)
    for (let hour = 0; hour < 24; hour += 1) {
      const startMs = Date.parse(`${day}T00:00:00Z`) + hour * HOUR_MS;
      const endMs = startMs + HOUR_MS;
      if (startMs < Date.parse(request.from) || endMs > Date.parse(request.to)) continue;
      const has = (set: number): boolean => Math.floor(set / 2 ** hour) % 2 === 1;
      const isStreams = endMs > now.getTime() - facts.streamOwnsMs;
      const horizonMs = facts.horizonMs[request.input];
      const verdict = ((): Verdict => {
        if (endMs > now.getTime()) return 'not_over_yet';
        if (!has(expected)) return 'not_expected';
        if (has(complete) && request.reprocess !== 'all') return 'complete';
        if (has(complete) && isStreams) return 'stream_owned';
        if (request.reprocess === 'failed' && !has(failed)) return 'not_failed';
        if (has(underRepair)) return 'under_repair';
        if (horizonMs !== null && startMs < now.getTime() - horizonMs) return 'beyond_horizon';
        return isStreams && request.input !== 'kafka' ? 'stream' : 'batch';
      })();
      verdicts.set(`${entityId}/${new Date(startMs).toISOString()}`, verdict);
    }
  return verdicts;
}

const keysOf = ({ entityId, day, hours: set }: DayHours): string[] =>
  listHours(set).map(
    (hour) => `${entityId}/${new Date(Date.parse(`${day}T00:00:00Z`) + hour * HOUR_MS).toISOString()}`,
  );

/** Every window as often as it was judged. */
function judged(input: PlanInput): [string, Verdict][] {
  return [...judgeDays(input)].flatMap(({ entityId, day, create, skip }) =>
    Object.entries({ ...create, ...skip }).flatMap(([verdict, set]) =>
      keysOf({ entityId, day, hours: set }).map((key): [string, Verdict] => [key, verdict as Verdict]),
    ),
  );
}

describe('the windows of a range', () => {
  test('are each created or skipped, once, as a look at each of them says', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const windows = judged(input);
        const expected = reference(input);
        expect(windows.length).toBe(expected.size);
        expect(new Map(windows)).toEqual(expected);
      }),
      fewer,
    );
  });

  test('that are skipped are counted by their reason, and every reason has its sentence', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const { skipped, created } = planBackfill(input);
        const verdicts = [...reference(input).values()];
        const count = (wanted: Verdict): number => verdicts.filter((verdict) => verdict === wanted).length;
        for (const reason of SKIP_REASONS) expect(skipped[reason]).toBe(count(reason));
        expect(created).toEqual({ stream: count('stream'), batch: count('batch') });
      }),
      fewer,
    );
    for (const reason of SKIP_REASONS) expect(skipReasons[reason].description).toMatch(/^[A-Z].*\.$/);
  });

  test('that are created are in the chunks, each once, on its path', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const { chunks } = planBackfill(input);
        const inChunks = chunks.flatMap(({ path, windows }) =>
          daysOfChunk(windows).flatMap((day) => keysOf(day).map((key) => [key, path] as const)),
        );
        const created = [...reference(input)].filter(([, verdict]) => !(verdict in skipReasons));
        expect(inChunks.toSorted()).toEqual(created.toSorted());
      }),
      fewer,
    );
  });
});

describe('a plan', () => {
  test('is the same for the same input, whatever the order of the days', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const plan = planBackfill(input);
        expect(planBackfill({ ...input, days: [...input.days].reverse() })).toEqual(plan);
      }),
      fewer,
    );
  });

  test('that was carried out plans nothing more; what is complete is loaded again only when all is asked for', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const before = [...input.days];
        const created = new Map(
          [...judgeDays(input)].map(({ entityId, day, create }) => [
            `${entityId}/${day}`,
            create.stream | create.batch,
          ]),
        );
        const days = before.map((day) => ({
          ...day,
          complete: day.complete | (created.get(`${day.entityId}/${day.day}`) ?? 0),
        }));
        const again = planBackfill({ ...input, days });
        expect(again.created.stream).toBe(0);
        if (input.request.reprocess !== 'all') expect(again.chunks).toEqual([]);
      }),
      fewer,
    );
  });

  test('has the stream’s hours at its newer end, and its chunks in the order that is asked for', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const { chunks } = planBackfill(input);
        expect(chunks.map(({ position }) => position)).toEqual(chunks.map((_, index) => index));
        const newestFirst = input.request.order === 'newest' ? chunks : chunks.toReversed();
        const firstDays = newestFirst.map(({ windows }) => dayNumberOf(windows.firstDay));
        expect(newestFirst.map(({ path }) => path)).toEqual(
          newestFirst
            .map(({ path }) => path)
            .toSorted((one, other) => (one < other ? 1 : one > other ? -1 : 0)),
        );
        for (const [index, day] of firstDays.slice(1).entries())
          expect(day).toBeLessThanOrEqual((firstDays[index] ?? 0) + 6);
      }),
      fewer,
    );
  });

  test('says what it costs: its calls, and how long they take at the rate it may use', () => {
    const days = Array.from({ length: 14 }, (_, index) => ({
      ...{ entityId: 1, day: dayOf(dayNumberOf('2026-02-20') + index) },
      ...{ expected: ALL_HOURS, complete: 0, failed: 0, underRepair: 0 },
    }));
    const request = backfillRequestSchema.parse({
      pipeline: 'a-pipeline',
      from: '2026-02-20T00:00:00Z',
      to: '2026-03-06T00:00:00Z',
    });
    const plan = planBackfill({ request, days, now: NOW, facts, running: [], repeat: 2 });
    expect(plan).toMatchObject({ created: { stream: 0, batch: 336 }, calls: 2, seconds: 20 });
    expect(plan.id).toMatch(/^a-pipeline-20260220T00-20260306T00-[0-9a-f]{12}-2$/);
  });
});

describe('beside running backfills', () => {
  const all = fc
    .sample(inputs, { numRuns: 200, seed: 1 })
    .find((input) => planBackfill(input).chunks.length > 2);
  const input = all as PlanInput;
  const other = { ...input.request, pipeline: 'a-pipeline', order: 'oldest', purpose: 'repair' } as const;

  test('a plan names those that are to load some of its windows, and how many', () => {
    const windows = planBackfill(input).chunks.flatMap((chunk) => daysOfChunk(chunk.windows));
    const [first, second] = windows as [DayHours, DayHours];
    const running: RunningBackfill[] = [
      { id: 'one', request: other, remaining: [first] },
      { id: 'another', request: other, remaining: [{ ...second, entityId: 77 }] },
    ];
    const plan = planBackfill({ ...input, running });
    expect(plan.overlaps).toEqual([{ id: 'one', windows: listHours(first.hours).length }]);
    expect(plan.attachTo).toBeUndefined();
  });

  test('overlaps are exactly the windows that both hold', () => {
    const sets = fc.uniqueArray(
      fc.record({ entityId: fc.nat(2), day: fc.constantFrom('2026-03-01', '2026-03-02'), hours }),
      { selector: ({ entityId, day }) => `${entityId}/${day}` },
    );
    fc.assert(
      fc.property(sets, sets, (own, theirs) => {
        const held = theirs.flatMap(keysOf);
        const count = own.flatMap(keysOf).filter((key) => held.includes(key)).length;
        expect(overlapsOf(own, [{ id: 'a', remaining: theirs }])).toEqual(
          count > 0 ? [{ id: 'a', windows: count }] : [],
        );
      }),
    );
  });

  test('an identical one is attached to: that more is loaded at once, or for another reason, makes no difference', () => {
    const windows = planBackfill(input).chunks.flatMap((chunk) => daysOfChunk(chunk.windows));
    const same = { ...input.request, maxConcurrency: 9, reason: 'again' };
    const plan = planBackfill({ ...input, running: [{ id: 'it', request: same, remaining: windows }] });
    expect(plan.attachTo).toBe('it');
    expect(plan.overlaps).toEqual([]);
  });
});
