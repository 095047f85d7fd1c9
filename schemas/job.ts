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
  /**
   * A new version is confirmed by so many completed checkpoints, by what it reads and writes, and by having run for so long without
   * a failure. Shorter than what it has for all of it.
   */
  upgradeCheckpoints: z.int().min(1).default(3),
  upgradeLeastMs: milliseconds.default(MINUTE_MS),
  /** One that is not confirmed within this time, or is lost or refused so often before, is rolled back. */
  upgradeWithinMs: milliseconds.default(5 * MINUTE_MS),
  upgradeFailures: z.int().min(1).default(3),
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

/** How the state goes over to a new version: by a savepoint, by the last retained checkpoint, or not at all. */
export const UPGRADE_MODES = ['savepoint', 'checkpoint', 'stateless'] as const;
export type UpgradeMode = (typeof UPGRADE_MODES)[number];

export const SAVEPOINT_KINDS = ['manual', 'periodic', 'suspend'] as const;
export type SavepointKind = (typeof SAVEPOINT_KINDS)[number];

const name = z.string().regex(/^[a-z][a-z0-9-]{0,40}$/, 'expected lower-case letters, digits and hyphens');
const hexId = z.string().regex(/^[0-9a-f]{32}$/, 'expected 32 hexadecimal digits');

export const savepointRequestSchema = z.object({ triggerId: hexId, kind: z.enum(SAVEPOINT_KINDS) });
export type SavepointRequest = z.infer<typeof savepointRequestSchema>;

/** What `restart` may begin from: a savepoint's trigger id, the path of a snapshot, or `nothing`. */
export const NOTHING = 'nothing';
const path = z.string().regex(/^[a-z0-9]+:\/.+$/);
const restorePoint = z.union([z.literal(NOTHING), hexId, path], {
  error: `expected the trigger id of a savepoint, the path of a snapshot (file:/…), or "${NOTHING}"`,
});
const snapshot = z.union([hexId, path], {
  error: 'expected the trigger id of a savepoint, or the path of a snapshot (file:/…)',
});
const versionName = z.string().regex(/^[0-9a-f]{12}$/, 'expected 12 hexadecimal digits');

/** Two commands with one id are one command; without one the id of the update serves, so that `{}` is enough in the Temporal UI. */
const commandId = z.string().min(1).max(100).optional();
const acceptStateLoss = z.boolean().default(false);

/** Flink distributes the state of a job with the default settings over so many groups: more subtasks than that would have none. */
export const MOST_PARALLEL = 128;

/** The input of each command, by the name of its update. */
export const jobCommandSchemas = {
  /** Runs the definition's present version, or one on record, from the state of the one before; also ends being parked. */
  deploy: z
    .strictObject({
      commandId,
      acceptStateLoss,
      version: versionName.optional(),
      /** Instead of the version's own; it also holds for later deploys. */
      parallelism: z.int().min(1).max(MOST_PARALLEL).optional(),
      upgradeMode: z.enum(UPGRADE_MODES).optional(),
      /** The snapshot that the new version starts from; the old one is stopped with a savepoint of its own before. */
      from: snapshot.optional(),
      /** A start of the system: a version that was rolled back is not tried again by itself. */
      isStart: z.boolean().optional(),
    })
    .refine((input) => input.upgradeMode !== 'stateless' || input.acceptStateLoss, {
      error: `to upgrade without state is to lose it: say so with acceptStateLoss (--accept-state-loss)`,
    })
    .refine((input) => input.from === undefined || input.upgradeMode === undefined, {
      error: 'what the new version starts from is told by from or by upgradeMode, not by both',
    })
    .prefault({}),
  /** Goes back to the version before, and to the snapshot that was taken of it. */
  rollback: z.strictObject({ commandId }).prefault({}),
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

/** What is known of the versions of a job beyond the one that runs: decided in `domain/job-upgrade.ts`. */
export const upgradesSchema = z.object({
  /** The version that was proven last; empty before the first. */
  confirmed: z.string().default(''),
  /** The parallelism that was asked for instead of the definition's; 0 for none. */
  parallelism: z.int().min(0).default(0),
  /** An upgrade that has still to be confirmed. Its version is submitted once it is the job's version. */
  pending: z
    .object({
      version: z.string(),
      mode: z.enum(UPGRADE_MODES),
      /** What its first submission starts from; empty for the state of the version before. */
      from: z.string(),
      /** Where a rollback goes; without a path the snapshot is still to be taken. */
      previous: z.object({
        version: z.string(),
        path: z.string().optional(),
        parallelism: z.int().min(0),
      }),
      /** When it has to be confirmed at the latest; 0 before it is submitted. */
      deadlineMs: z.number(),
      failures: z.int().min(0),
      /** Why it is to be rolled back; empty while it is not. */
      givenUp: z.string(),
    })
    .optional(),
  /** The version before the confirmed one, and the snapshot that was taken of it: where `rollback` goes. */
  previous: z
    .object({ version: z.string(), path: z.string().optional(), parallelism: z.int().min(0) })
    .optional(),
  /** The version that was rolled back last. It is not tried again until somebody deploys it, also not with another parallelism. */
  rejected: z
    .object({
      version: z.string(),
      /** The version that was gone back to. Where it differs in its parallelism alone, that alone is not tried again. */
      instead: z.string().default(''),
      reason: z.string(),
      atMs: z.number(),
      isByCommand: z.boolean(),
      /** Something was deployed since: nobody has to be told any more. */
      isSuperseded: z.boolean().default(false),
    })
    .optional(),
  /** What runs is on its way out without a savepoint, and `restorePath` stands. */
  isRollingBack: z.boolean().default(false),
});
export type Upgrades = z.infer<typeof upgradesSchema>;

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
  upgrades: upgradesSchema.prefault({}),
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
  | 'upgrades'
>;
