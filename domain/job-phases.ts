/** What each phase of a Flink job means. How one follows another is decided in `domain/job-machine.ts`. */
import type { JobPhase } from '../schemas/job.ts';

interface PhaseFacts {
  /** The actor ends here. */
  readonly terminal: boolean;
  /** Flink may hold a job of this name. */
  readonly mayRun: boolean;
  readonly description: string;
}

export const jobPhases: Readonly<Record<JobPhase, PhaseFacts>> = {
  new: { terminal: false, mayRun: false, description: 'Known to the control plane, never submitted.' },
  submitting: {
    terminal: false,
    mayRun: true,
    description: 'A target is recorded and is being submitted to Flink.',
  },
  settling: {
    terminal: false,
    mayRun: true,
    description: 'Flink has the job; it starts or restarts and has yet to prove that it is healthy.',
  },
  stable: {
    terminal: false,
    mayRun: true,
    description: 'It runs, completes checkpoints, and reads what comes.',
  },
  unstable: {
    terminal: false,
    mayRun: true,
    description:
      'Flink has the job, but it is in a restart loop, stuck, or cannot be asked; a person is told.',
  },
  suspending: { terminal: false, mayRun: true, description: 'Being stopped with its state saved.' },
  suspended: {
    terminal: false,
    mayRun: false,
    description: 'Stopped with its state kept; it goes on from there.',
  },
  recovering: {
    terminal: false,
    mayRun: false,
    description:
      'Flink lost or refused the job; it is submitted again, from its newest state, after a pause.',
  },
  failing: {
    terminal: false,
    mayRun: false,
    description: 'Recovery has used up its budget, or the state is gone; it waits for a command.',
  },
  stopped: {
    terminal: true,
    mayRun: false,
    description: 'Stopped for good with its state kept; its actor has ended.',
  },
};
