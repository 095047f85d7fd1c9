/** What the actor of a Flink job knows: the state it carries, how that changes, and how it gets on record and on the screen. */
import {
  CancellationScope,
  condition,
  isCancellation,
  proxyActivities,
  setCurrentDetails,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { FlinkActivities } from '../../activities/flink.ts';
import { type JobEvent, transition } from '../../domain/job-machine.ts';
import { jobPhases } from '../../domain/job-phases.ts';
import { searchAttributes } from '../../domain/search-attributes.ts';
import {
  type JobCommandName,
  type JobPhase,
  type JobState,
  jobCommandSchemas,
  jobStateSchema,
} from '../../schemas/job.ts';
import { quick } from './calls.ts';

const { recordJob, readJobRecord } = proxyActivities<FlinkActivities>(quick);

export class JobMemory {
  state: JobState;
  /** Whether what earlier actors knew has been read. */
  isReady: boolean;
  /** Commands under way that say what to start from: a submission that is not on record yet waits for them. */
  startsBeingNamed = 0;
  /** Grows with each command: who waited compares it. */
  changes = 0;
  private attention = new CancellationScope();

  constructor(carried: { name: string } & Partial<JobState>) {
    this.state = jobStateSchema.parse(carried);
    this.isReady = this.state.phase !== 'new' || this.state.sequence > 0;
  }

  change(change: Partial<JobState>): void {
    this.state = { ...this.state, ...change };
  }

  /** Why nothing happens, shown and not yet an event. */
  explain(reason: string): void {
    this.change({ reason });
    this.show();
  }

  /** An event of the machine moves the phase; a command is only noted. */
  enter(event: JobEvent | JobCommandName, change: Partial<JobState> = {}): void {
    const phase = isCommand(event) ? this.state.phase : transition(this.state.phase, event);
    const sequence = this.state.sequence + 1;
    this.change({ ...change, phase, sequence });
    const { version, attempt, jobId, reason, unrecorded } = this.state;
    const record = { sequence, atMs: Date.now(), event, phase, version, attempt, jobId, reason };
    this.change({ unrecorded: [...unrecorded, record] });
    this.show();
  }

  /** What only looks, or waits, ends now. */
  interrupt(): void {
    this.changes += 1;
    this.attention.cancel();
  }

  /** @returns whether a command came within the time */
  async untilChange(forMs?: number): Promise<boolean> {
    const before = this.changes;
    const isChanged = (): boolean => this.changes !== before;
    if (forMs !== undefined) return condition(isChanged, forMs);
    await condition(isChanged);
    return true;
  }

  /** Runs what only looks until it is done; undefined when a command comes first. */
  async attend<T>(look: () => Promise<T>): Promise<T | undefined> {
    this.attention = new CancellationScope();
    try {
      return await this.attention.run(look);
    } catch (error) {
      // The watch is cancelled by a command; the actor itself only by somebody who ends it.
      if (!isCancellation(error) || CancellationScope.current().consideredCancelled) throw error;
      return undefined;
    }
  }

  /** An actor that was ended, or whose history is gone, has left its state on record; its job may still run. */
  async recall(): Promise<void> {
    const { name } = this.state;
    const known = this.isReady ? undefined : await readJobRecord({ name });
    if (known !== undefined) this.change({ ...known, phase: phaseOfNextActor(known.phase) });
    this.isReady = true;
    this.show();
  }

  /** What is known goes on record before anything is done about it. */
  async record(): Promise<void> {
    const events = this.state.unrecorded;
    if (events.length === 0) return;
    await recordJob({ state: this.state, events });
    this.change({ unrecorded: this.state.unrecorded.slice(events.length) });
  }

  /** What the Temporal UI shows of the actor without opening a payload. */
  private show(): void {
    const { name, phase, desired, isParked, version, attempt, jobId, restorePath, reason } = this.state;
    const wanted = isParked ? `${desired}, parked until the system starts again` : desired;
    const lines = [
      `**${name}** is **${phase}**; desired: ${wanted}`,
      jobPhases[phase].description,
      version === '' ? undefined : `version \`${version}\`, submission ${attempt}, Flink job \`${jobId}\``,
      restorePath === '' ? undefined : `started from \`${restorePath}\``,
      reason === '' ? undefined : reason,
    ];
    setCurrentDetails(lines.filter((line) => line !== undefined).join('  \n'));
    upsertSearchAttributes([
      { key: searchAttributes.job, value: name },
      { key: searchAttributes.state, value: phase },
    ]);
  }
}

/** What was begun is carried through: asked again, Flink goes on with the same submission, or the same savepoint. */
function phaseOfNextActor(recorded: JobPhase): JobPhase {
  if (recorded === 'submitting' || recorded === 'suspending') return recorded;
  return jobPhases[recorded].mayRun ? 'settling' : 'suspended';
}

const isCommand = (event: string): event is JobCommandName => Object.hasOwn(jobCommandSchemas, event);
