/** A backfill as it is asked for: what the command line and the workflow take. What follows from it is decided in `domain/backfill-plan.ts`. */
import { z } from 'zod';

const HOUR_MS = 3_600_000;
const YEARS = { from: 1970, to: 2199 } as const;

/** Where the records come from. */
export const backfillInputs = {
  history: "the source's history",
  kafka: 'the retained log of the live topic',
  file: 'a file of lines of JSON',
} as const;
export type BackfillInput = keyof typeof backfillInputs;

/** What of the range is loaded. */
export const reprocessModes = {
  missing: 'windows that have fewer stored observations than their location is to have',
  failed: 'of those, the ones that an earlier backfill has failed at',
  all: 'also complete windows, which are loaded anew, unless the stream still owns them',
} as const;
export type ReprocessMode = keyof typeof reprocessModes;

export const backfillOrders = {
  newest: 'the newest days first',
  oldest: 'the oldest days first',
} as const;
export type BackfillOrder = keyof typeof backfillOrders;

/** For whom it is done: it decides priority and share of the calls. */
export const backfillPurposes = {
  backfill: 'somebody asked for it',
  repair: 'the completeness check found hours that are not complete',
} as const;

/** In which units the figures of a file may be; standard is the source's own. */
export const unitSystems = ['standard', 'metric', 'imperial'] as const;
export type UnitSystem = (typeof unitSystems)[number];

/** Reads any writing of a whole hour, UTC or with an offset, as the one in UTC: `2026-01-31T17:00:00Z`. */
export const wholeHour = z
  .string({ error: 'expected a whole hour, for example 2026-01-31T17:00:00Z' })
  .pipe(
    z.iso.datetime({
      offset: true,
      error: 'expected a whole hour with its zone, such as 2026-01-31T17:00:00Z',
    }),
  )
  .transform((text, context) => {
    const time = new Date(text);
    const year = time.getUTCFullYear();
    const refuse = (message: string): never => {
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    };
    if (time.getTime() % HOUR_MS !== 0)
      return refuse(`${text} is not a whole hour in UTC: give the hour, such as 2026-01-31T17:00:00Z`);
    if (year < YEARS.from || year > YEARS.to)
      return refuse(`${text} is outside the years ${YEARS.from} to ${YEARS.to}`);
    return time.toISOString().replace('.000Z', 'Z');
  });

const oneOf = <const T extends Readonly<Record<string, string>>>(known: T) =>
  z.enum(Object.keys(known) as [keyof T & string, ...(keyof T & string)[]], {
    error: `expected one of: ${Object.keys(known).join(', ')}`,
  });

/** Strict: a field with a slip of the pen would otherwise widen what is loaded. */
export const backfillRequestSchema = z
  .strictObject({
    /** The name of a pipeline that is defined. */
    pipeline: z
      .string({ error: 'expected the name of a pipeline' })
      .regex(
        /^[a-z][a-z0-9-]{0,40}$/,
        'expected the name of a pipeline: lower-case letters, digits and hyphens',
      ),
    /** The first hour. That it lies before `to`, and is over, is judged with the plan. */
    from: wholeHour,
    /** The end of the last hour. */
    to: wholeHour,
    /** Ids of the registry, in any order; every location of it when left out. */
    entities: z
      .array(z.int({ error: "expected a location's id, a positive whole number" }).min(1))
      .min(1, 'names no location: leave it out for all of them')
      .transform((ids) => [...new Set(ids)].sort((one, other) => one - other))
      .optional(),
    input: oneOf(backfillInputs).default('history'),
    /** The path of the file, where a worker can read it; only with the input `file`. */
    file: z.string().min(1, 'expected the path of a file').optional(),
    /** In which units the file's figures are; metric unless told, only with the input `file`. */
    units: z.enum(unitSystems, { error: `expected one of: ${unitSystems.join(', ')}` }).optional(),
    reprocess: oneOf(reprocessModes).default('missing'),
    order: oneOf(backfillOrders).default('newest'),
    /** How many chunks are loaded at once. */
    maxConcurrency: z
      .int('expected a whole number')
      .min(1, 'at least one chunk must be loaded at a time')
      .max(50, 'at most 50 chunks are loaded at a time')
      .default(4),
    purpose: oneOf(backfillPurposes).default('backfill'),
    /** Why, for whoever reads the list of backfills. */
    reason: z.string().max(500, 'expected at most 500 characters').default(''),
  })
  .superRefine(({ input, file, units, reprocess }, context) => {
    const refuse = (message: string): void => context.addIssue({ code: 'custom', message });
    if (input === 'file' && file === undefined) refuse('the input file needs the path of one (file)');
    if (input !== 'file' && file !== undefined)
      refuse(`a file is given, but the input is ${input}: set input to file, or leave the file out`);
    if (input === 'kafka' && reprocess === 'all')
      refuse('the log holds what was loaded from it before: to load complete hours anew take another input');
    if (input !== 'file' && units !== undefined)
      refuse(`units are of a file, but the input is ${input}: leave them out`);
  });

/** As somebody writes it: only the pipeline and the range are needed. */
export type BackfillRequestInput = z.input<typeof backfillRequestSchema>;
/** With every default filled in, times in UTC, entities sorted and each once. */
export type BackfillRequest = z.output<typeof backfillRequestSchema>;

/** How a run goes about its work. */
export const backfillPolicySchema = z.strictObject({
  /** Published chunks are loaded when there are so many of them … */
  loadChunks: z.int().min(1).max(100).default(8),
  /** … or when the first of them has waited so long. */
  loadEverySeconds: z.int().min(1).default(60),
  /** A run begins so many chunks before it goes on as a new one: its history must not become too long. */
  chunksPerRun: z.int().min(1).max(500).default(150),
  /** How long records that were published may wait for the stream before their chunk fails. */
  streamWaitMinutes: z.int().min(1).default(60),
});
export type BackfillPolicy = z.output<typeof backfillPolicySchema>;

const jobName = z.string().regex(/^[a-z][a-z0-9-]{0,40}$/, 'expected lower-case letters, digits and hyphens');

const offsetRanges = z.array(
  z.object({ partition: z.int().min(0), first: z.int().min(0), end: z.int().min(0) }),
);

/** What one run of a backfill over a file hands on to the next. */
const carriedFileSchema = z.object({
  at: z.object({ line: z.int(), published: z.int(), skipped: z.int(), malformed: z.int() }),
  stream: offsetRanges,
});
export type CarriedFile = z.output<typeof carriedFileSchema>;

/** Runs a stored plan. */
export const backfillPlanInputSchema = z.strictObject({
  /** The id of the plan, which is that of the backfill. */
  plan: z.string().regex(/^[a-z0-9][a-zA-Z0-9-]{1,150}$/, 'expected the id of a stored plan'),
  /** Once more what failed or was cancelled, of one that has ended. */
  retry: z.boolean().default(false),
  policy: backfillPolicySchema.prefault({}),
  carried: carriedFileSchema.optional(),
});

/** The input of the workflow `backfill`: a stored plan, or a request, which is planned first. */
export type BackfillInputOfWorkflow = z.input<typeof backfillPlanInputSchema> | BackfillRequestInput;

/** The batch jobs of a pipeline that a backfill runs. */
export const backfillJobsSchema = z.object({
  /** Makes records of a range of offsets rows of the fact table. */
  loadJob: jobName,
  /** Makes a range of hours anew from the fact table. */
  recomputeJob: jobName,
});
export type BackfillJobs = z.output<typeof backfillJobsSchema>;

export const backfillChunkInputSchema = z.object({
  backfillId: z.string().min(1),
  key: z.string().min(1),
  path: z.enum(['stream', 'batch']),
  pipeline: z.string().min(1),
  purpose: oneOf(backfillPurposes),
  jobs: backfillJobsSchema,
  streamWaitMinutes: z.int().min(1),
});
export type BackfillChunkInput = z.output<typeof backfillChunkInputSchema>;

/** The input of the update `cancel`. */
export const cancelInputSchema = z
  .strictObject({
    /** Also what is under way is broken off, and not only nothing new begun. */
    now: z.boolean().default(false),
  })
  .prefault({});
