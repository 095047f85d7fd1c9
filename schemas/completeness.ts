/** A completeness check as it is asked for: which windows it judges, and how far it goes to repair them. What follows is decided in `domain/`. */
import { z } from 'zod';
import { wholeHour } from './backfill.ts';

const name = z.string().regex(/^[a-z][a-z0-9-]{0,40}$/, 'expected lower-case letters, digits and hyphens');

export const completenessPolicySchema = z.strictObject({
  /** An hour is judged so long after its end: what is published late is still on its way. */
  graceMinutes: z.int().min(0).max(600).default(10),
  /** So many of the newest hours are judged by every check. */
  rejudgeHours: z
    .int()
    .min(1)
    .max(7 * 24)
    .default(24),
  /** How often the repair of a window is tried, until it is good. */
  mostAttempts: z.int().min(1).max(20).default(3),
  /** So many backfills that repair run at the same time; live polling and whoever asked for a backfill need calls too. */
  mostConcurrentRepairs: z.int().min(0).max(50).default(2),
  mostWindowsOfARepair: z.int().min(1).max(10_000).default(3_000),
  /** How long the stream may take to read what the log held when the check began, before it counts as behind. */
  waitForStreamSeconds: z.int().min(0).max(3_600).default(60),
  /** So many hours are judged in one pass of the database, at most. */
  stepHours: z
    .int()
    .min(1)
    .max(31 * 24)
    .default(24),
});
export type CompletenessPolicy = z.output<typeof completenessPolicySchema>;

const instants = z.strictObject({ from: z.iso.datetime(), to: z.iso.datetime() });

const logEnd = z.strictObject({
  topic: z.string().min(1),
  partition: z.int().min(0),
  end: z.int().min(0),
});

/** A check that has begun: what it is to judge, and what it goes by. */
const begunCheckSchema = z.strictObject({
  id: z.string().min(1),
  /** When it began. */
  at: z.iso.datetime(),
  /** Hours that end later are open. */
  overUntil: z.iso.datetime(),
  /** What is still to be judged, in this order; no hour is in two of them. */
  ranges: z.array(instants),
  /** Of every partition that holds records: where it ended when the check began. */
  logEnds: z.array(logEnd),
  /** Workflows that were repairing then, beside backfills. */
  openRepairs: z.array(z.string()),
  /** Whether it stands on the record of checks, from which the next one goes on. */
  isOnRecord: z.boolean(),
  /** Whether what needs it is repaired. */
  repairs: z.boolean(),
});
export type BegunCheck = z.output<typeof begunCheckSchema>;

const carriedCheckSchema = z.strictObject({
  begun: begunCheckSchema,
  counts: z.record(z.string(), z.int()),
  changed: z.int().min(0),
  isWhole: z.boolean(),
});

/** Strict: a field with a slip of the pen would otherwise widen what is judged, or repaired. */
export const completenessInputSchema = z
  .strictObject({
    /** The name of a pipeline that is defined. */
    pipeline: name,
    /** Of whose ingestion runs the polls are read. */
    source: name,
    /** Into how many parts ingestion cuts the registry. */
    shards: z.int().min(1).default(1),
    /** The first hour; with `to` it is a check by hand of this range. Left out, the range comes from the record of checks. */
    from: wholeHour.optional(),
    /** The end of the last hour. */
    to: wholeHour.optional(),
    /** Ids of the registry; every location of it when left out. Only with a range. */
    entities: z
      .array(z.int({ error: "expected a location's id, a positive whole number" }).min(1))
      .min(1, 'names no location: leave it out for all of them')
      .transform((ids) => [...new Set(ids)].sort((one, other) => one - other))
      .optional(),
    repair: z.boolean().default(true),
    policy: completenessPolicySchema.prefault({}),
    /** What one run of a long check hands on to the next. */
    carried: carriedCheckSchema.optional(),
  })
  .superRefine(({ from, to, entities }, context) => {
    const refuse = (message: string): void => context.addIssue({ code: 'custom', message });
    if ((from === undefined) !== (to === undefined))
      refuse('from and to are given together, or both left out');
    if (from !== undefined && to !== undefined && Date.parse(from) >= Date.parse(to))
      refuse(`from (${from}) must lie before to (${to})`);
    // The next check would go on as if all locations had been judged.
    if (entities !== undefined && from === undefined)
      refuse('locations are named, but no range: give from and to');
  });

/** As somebody writes it. */
export type CompletenessInput = z.input<typeof completenessInputSchema>;
/** With every default filled in, times in UTC, entities sorted and each once. */
export type CompletenessRequest = z.output<typeof completenessInputSchema>;
