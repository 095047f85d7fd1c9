/**
 * Decides what the actor of a Flink job does next. It owns the phases, their transitions and the rule that picks an action;
 * acting is left to the workflow `flinkJob`.
 *
 *   new ──▶ submitting ──▶ running ──▶ parking ──▶ parked
 *               ▲  │          │                       │
 *               │  └──▶ recovering ◀── (lost)         │
 *               └────────────┴────────────────────────┘
 */
import type { JobPhase, JobState } from '../schemas/workflow-inputs.ts';

/** `at rest` phases wait for a command; the others have something in flight. */
export const jobPhases = {
  new: { atRest: true, description: 'Known to the control plane, never submitted.' },
  submitting: { atRest: false, description: 'A target is recorded and is being submitted to Flink.' },
  running: { atRest: false, description: 'Flink runs the job; the actor watches it.' },
  parking: { atRest: false, description: 'Being stopped with a savepoint; the desired state stays running.' },
  parked: { atRest: true, description: 'Stopped with its state kept; the next start goes on from there.' },
  recovering: {
    atRest: false,
    description: 'Flink lost or refused the job; it is submitted again after a pause.',
  },
} as const satisfies Record<JobPhase, { atRest: boolean; description: string }>;

export type JobEvent = 'targetRecorded' | 'submitted' | 'refused' | 'lost' | 'parkBegun' | 'parked';

/** Total: an event that means nothing in a phase leaves it as it is. */
export const jobTransitions: Readonly<Record<JobPhase, Readonly<Record<JobEvent, JobPhase>>>> = {
  new: {
    targetRecorded: 'submitting',
    submitted: 'new',
    refused: 'new',
    lost: 'new',
    parkBegun: 'new',
    parked: 'parked',
  },
  submitting: {
    targetRecorded: 'submitting',
    submitted: 'running',
    refused: 'recovering',
    lost: 'recovering',
    parkBegun: 'submitting',
    parked: 'submitting',
  },
  running: {
    targetRecorded: 'running',
    submitted: 'running',
    refused: 'running',
    lost: 'recovering',
    parkBegun: 'parking',
    parked: 'running',
  },
  parking: {
    targetRecorded: 'parking',
    submitted: 'parking',
    refused: 'parking',
    lost: 'recovering',
    parkBegun: 'parking',
    parked: 'parked',
  },
  parked: {
    targetRecorded: 'submitting',
    submitted: 'parked',
    refused: 'parked',
    lost: 'parked',
    parkBegun: 'parked',
    parked: 'parked',
  },
  recovering: {
    targetRecorded: 'submitting',
    submitted: 'recovering',
    refused: 'recovering',
    lost: 'recovering',
    parkBegun: 'recovering',
    parked: 'parked',
  },
};

export type JobAction = 'submit' | 'watch' | 'park' | 'settle' | 'rest';

const ACTIONS: Readonly<Record<JobPhase, Readonly<Record<JobState['wanted'], JobAction>>>> = {
  new: { running: 'submit', parked: 'settle' },
  // A submission that was begun is carried through: its target is recorded, and submitting it again attaches to it.
  submitting: { running: 'submit', parked: 'submit' },
  running: { running: 'watch', parked: 'park' },
  parking: { running: 'park', parked: 'park' },
  parked: { running: 'submit', parked: 'rest' },
  recovering: { running: 'submit', parked: 'settle' },
};

/** What to do in a state. `settle` means: nothing runs, so being parked is only a matter of saying so. */
export function nextAction(state: Pick<JobState, 'phase' | 'wanted'>): JobAction {
  return ACTIONS[state.phase][state.wanted];
}

export function transition(phase: JobPhase, event: JobEvent): JobPhase {
  return jobTransitions[phase][event];
}

const BACKOFF_MS = { first: 2_000, most: 120_000 } as const;

/** How long to wait before the next submission: nothing at first, then doubling from 2 s to 2 min. */
export function backoffMs(failures: number): number {
  return failures === 0 ? 0 : Math.min(BACKOFF_MS.first * 2 ** (failures - 1), BACKOFF_MS.most);
}

const REMEMBERED_COMMANDS = 50;

/** The command ids to remember once this one is carried out: the newest, so that a repeated command is recognised. */
export function remember(commandIds: readonly string[], commandId: string): string[] {
  return [...commandIds.filter((known) => known !== commandId), commandId].slice(-REMEMBERED_COMMANDS);
}
