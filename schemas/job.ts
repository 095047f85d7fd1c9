/** A Flink job as its actor knows it: policy, commands and the state it carries. What follows from them is decided in `domain/job-machine.ts`. */
import { z } from 'zod';
import { ALERT_KINDS } from './alert.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const milliseconds = z.int().min(0);

/** How a job is guarded. Every figure has a default that suits a stream with a checkpoint each ten seconds. */
export const jobPolicySchema = z.object({
  /** How many submissions in a row may fail before a person is asked. */
  recoveryBudget: z.int().min(1).default(8),
  /** The pause before a submission: this long after the first failure, doubling up to the most. */
  backoffFirstMs: milliseconds.default(2_000),
  backoffMostMs: milliseconds.default(2 * MINUTE_MS),
  /** A job that was stable for so long has its earlier failures forgiven. */
  forgivenAfterMs: milliseconds.default(10 * MINUTE_MS),
  /** How long a job may be without running before that is called unstable. */
  startupMs: milliseconds.default(3 * MINUTE_MS),
  /** So many failures within this time are a restart loop. */
  restartLoopFailures: z.int().min(2).default(3),
  restartLoopMs: milliseconds.default(2 * MINUTE_MS),
  /** A running job without a completed checkpoint for so long is stuck. */
  checkpointStuckMs: milliseconds.default(3 * MINUTE_MS),
  /** A running job that reads nothing for so long, although records keep coming, is stuck. */
  offsetsStuckMs: milliseconds.default(3 * MINUTE_MS),
  /** What a JobManager that does not answer is given before the job is called unstable. */
  unreachableMs: milliseconds.default(MINUTE_MS),
  /** A savepoint that takes longer has failed. */
  savepointTimeoutMs: milliseconds.default(MINUTE_MS),
  /** 0 for no savepoints but those that are asked for. */
  savepointEveryMs: milliseconds.default(6 * HOUR_MS),
  /** Completed savepoints beyond this number, or older than this, are disposed of; the newest is always kept. */
  savepointsKept: z.int().min(1).default(5),
  savepointsKeptMs: milliseconds.default(14 * DAY_MS),
});
export type JobPolicy = z.infer<typeof jobPolicySchema>;

export const JOB_PHASES = [
  'new',
  'submitting',
  'settling',
  'stable',
  'unstable',
  'suspending',
  'suspended',
  'recovering',
  'failing',
  'stopped',
] as const;
export type JobPhase = (typeof JOB_PHASES)[number];

export const DESIRED_STATES = ['running', 'suspended', 'stopped'] as const;
export type DesiredState = (typeof DESIRED_STATES)[number];

export const SAVEPOINT_KINDS = ['manual', 'periodic', 'suspend'] as const;
export type SavepointKind = (typeof SAVEPOINT_KINDS)[number];

const name = z.string().regex(/^[a-z][a-z0-9-]{0,40}$/, 'expected lower-case letters, digits and hyphens');
const hexId = z.string().regex(/^[0-9a-f]{32}$/, 'expected 32 hexadecimal digits');

export const savepointRequestSchema = z.object({ triggerId: hexId, kind: z.enum(SAVEPOINT_KINDS) });
export type SavepointRequest = z.infer<typeof savepointRequestSchema>;

/** What `restart` may begin from: a savepoint's trigger id, the path of a snapshot, or `nothing`. */
export const NOTHING = 'nothing';
const restorePoint = z.union([z.literal(NOTHING), hexId, z.string().regex(/^[a-z0-9]+:\/.+$/)], {
  error: `expected the trigger id of a savepoint, the path of a snapshot (file:/…), or "${NOTHING}"`,
});

/** Two commands with one id are one command; without one the id of the update serves, so that `{}` is enough in the Temporal UI. */
const commandId = z.string().min(1).max(100).optional();
const acceptStateLoss = z.boolean().default(false);

/** The input of each command, by the name of its update. */
export const jobCommandSchemas = {
  /** Runs the definition's present version, from the state of the one before; also ends being parked. */
  deploy: z.strictObject({ commandId, acceptStateLoss }).prefault({}),
  suspend: z.strictObject({ commandId }).prefault({}),
  resume: z.strictObject({ commandId, acceptStateLoss }).prefault({}),
  savepoint: z.strictObject({ commandId, triggerId: hexId.optional() }).prefault({}),
  restart: z
    .strictObject({ commandId, from: restorePoint.optional(), acceptStateLoss })
    .refine((input) => input.from !== NOTHING || input.acceptStateLoss, {
      error: 'to start from nothing is to lose the state: say so with acceptStateLoss (--accept-state-loss)',
    })
    .prefault({}),
  /** Stops the job with a savepoint and ends its actor. */
  stop: z.strictObject({ commandId }).prefault({}),
  /** Stops the job with a savepoint until the system starts again; what is desired stays. */
  park: z.strictObject({ commandId }).prefault({}),
} as const;
export type JobCommandName = keyof typeof jobCommandSchemas;
export type JobCommandInput<Name extends JobCommandName> = z.input<(typeof jobCommandSchemas)[Name]>;

/** The type of the failure of a command that comes while the actor ends: it is to be sent again, and starts another. */
export const ACTOR_ENDING = 'ACTOR_ENDING';

/** The names of the actor's other messages. */
export const jobMessages = { status: 'status', versionChanged: 'versionChanged' } as const;

export const jobEventSchema = z.object({
  /** Counts the events of a job, from one, over all its actors. */
  sequence: z.int().min(1),
  atMs: z.number(),
  event: z.string(),
  phase: z.enum(JOB_PHASES),
  version: z.string(),
  attempt: z.int(),
  jobId: z.string(),
  reason: z.string(),
});
export type JobEventRecord = z.infer<typeof jobEventSchema>;

/** What a job's actor carries from run to run. A version N and N−1 both read it: fields are only added, with a default. */
export const jobStateSchema = z.object({
  name,
  phase: z.enum(JOB_PHASES).default('new'),
  desired: z.enum(DESIRED_STATES).default('running'),
  /** Stopped with everything else: it goes on by itself when the system starts again. */
  isParked: z.boolean().default(false),
  /** The version that is to run, and the one that was submitted last. */
  desiredVersion: z.string().default(''),
  version: z.string().default(''),
  /** Counts the submissions of the job; with the version it makes the job's id in Flink. */
  attempt: z.int().min(0).default(0),
  jobId: z.string().default(''),
  /** The snapshot the next submission starts from; empty only before the first. */
  restorePath: z.string().default(''),
  /** A restart that was asked for; `from` is empty for the job's own state. */
  restart: z.object({ from: z.string() }).optional(),
  acceptsStateLoss: z.boolean().default(false),
  failures: z.int().min(0).default(0),
  stableSinceMs: z.number().default(0),
  reason: z.string().default(''),
  savepointRequests: z.array(savepointRequestSchema).default([]),
  nextSavepointAtMs: z.number().default(0),
  alert: z.object({ kind: z.enum(ALERT_KINDS), sinceMs: z.number(), isDelivered: z.boolean() }).optional(),
  sequence: z.int().min(0).default(0),
  /** Events that are not on record yet. */
  unrecorded: z.array(jobEventSchema).default([]),
  commandIds: z.array(z.string()).default([]),
  policy: jobPolicySchema.prefault({}),
  /** A run's history may grow to so many events before the actor continues as a new run. */
  mostEvents: z.int().min(50).default(5_000),
});
export type JobState = z.infer<typeof jobStateSchema>;

/** What goes on record of a job's state, for the next actor and for whoever asks while none answers. */
export type JobRecord = Pick<
  JobState,
  | 'desired'
  | 'isParked'
  | 'phase'
  | 'desiredVersion'
  | 'version'
  | 'attempt'
  | 'jobId'
  | 'restorePath'
  | 'reason'
  | 'sequence'
>;
