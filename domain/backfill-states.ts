/**
 * Owns the states of a backfill and of its chunks, and what leads from one to another; the ledger (`clients/backfill-ledger.ts`)
 * writes down nothing else.
 *
 *   planned ──▶ running ⇄ paused
 *      │           └──┬──────┘ (each of them)
 *      │              ├──▶ cancelling ──▶ cancelled, failed
 *      │              └──▶ completed, completed_with_failures, failed
 *      └──▶ cancelled
 *   completed_with_failures, cancelled, failed ──(retried)──▶ running
 *
 *   pending ──▶ fetching ──▶ published ──▶ loaded ──▶ done
 *      ▲           └───────────────────────▲ (nothing is to be published)
 *      │        each of the first four ──▶ failed, cancelled
 *      └──(retried)── failed, cancelled
 *
 * Invariants, each held by the test of that name in `backfill-states.test.ts`: "nothing but a retry leads out of a state that has
 * ended, and nothing at all out of success"; "a backfill that is being cancelled never runs again by itself"; "a chunk is done only
 * after its records were loaded".
 */

interface StateFacts {
  /** Nothing goes on by itself. */
  readonly terminal: boolean;
  readonly description: string;
}

export const backfillStates = {
  planned: { terminal: false, description: 'Its plan is stored; it was not started.' },
  running: { terminal: false, description: 'Its chunks are being loaded.' },
  paused: {
    terminal: false,
    description: 'No chunk is started until it is resumed; those begun come to their end.',
  },
  cancelling: {
    terminal: false,
    description: 'No chunk is started any more; those begun come to their end.',
  },
  completed: { terminal: true, description: 'Every chunk is done.' },
  completed_with_failures: {
    terminal: true,
    description: 'Every chunk has ended, and some have failed: their windows are named, and can be retried.',
  },
  cancelled: {
    terminal: true,
    description: 'It was cancelled. What was loaded stays, the rest can be retried.',
  },
  failed: {
    terminal: true,
    description: 'It could not go on. What was loaded stays, the rest can be retried.',
  },
} as const satisfies Record<string, StateFacts>;
export type BackfillState = keyof typeof backfillStates;
export const BACKFILL_STATES = Object.keys(backfillStates) as readonly BackfillState[];

export const BACKFILL_EVENTS = [
  'started',
  'paused',
  'resumed',
  'cancelAsked',
  'cancelled',
  'completed',
  'completedWithFailures',
  'gaveUp',
  'retried',
] as const;
export type BackfillEvent = (typeof BACKFILL_EVENTS)[number];

/** Total: an event that means nothing in a state leaves it as it is. */
export const backfillTransitions: Readonly<
  Record<BackfillState, Readonly<Record<BackfillEvent, BackfillState>>>
> = {
  planned: {
    started: 'running',
    paused: 'planned',
    resumed: 'planned',
    // There is nothing that has to come to its end.
    cancelAsked: 'cancelled',
    cancelled: 'planned',
    completed: 'planned',
    completedWithFailures: 'planned',
    gaveUp: 'planned',
    retried: 'planned',
  },
  running: {
    started: 'running',
    paused: 'paused',
    resumed: 'running',
    cancelAsked: 'cancelling',
    cancelled: 'running',
    completed: 'completed',
    completedWithFailures: 'completed_with_failures',
    gaveUp: 'failed',
    retried: 'running',
  },
  paused: {
    started: 'paused',
    paused: 'paused',
    resumed: 'running',
    cancelAsked: 'cancelling',
    cancelled: 'paused',
    completed: 'completed',
    completedWithFailures: 'completed_with_failures',
    gaveUp: 'failed',
    retried: 'paused',
  },
  cancelling: {
    started: 'cancelling',
    paused: 'cancelling',
    resumed: 'cancelling',
    cancelAsked: 'cancelling',
    cancelled: 'cancelled',
    completed: 'cancelling',
    completedWithFailures: 'cancelling',
    gaveUp: 'failed',
    retried: 'cancelling',
  },
  completed: {
    started: 'completed',
    paused: 'completed',
    resumed: 'completed',
    cancelAsked: 'completed',
    cancelled: 'completed',
    completed: 'completed',
    completedWithFailures: 'completed',
    gaveUp: 'completed',
    retried: 'completed',
  },
  completed_with_failures: {
    started: 'completed_with_failures',
    paused: 'completed_with_failures',
    resumed: 'completed_with_failures',
    cancelAsked: 'completed_with_failures',
    cancelled: 'completed_with_failures',
    completed: 'completed_with_failures',
    completedWithFailures: 'completed_with_failures',
    gaveUp: 'completed_with_failures',
    retried: 'running',
  },
  cancelled: {
    started: 'cancelled',
    paused: 'cancelled',
    resumed: 'cancelled',
    cancelAsked: 'cancelled',
    cancelled: 'cancelled',
    completed: 'cancelled',
    completedWithFailures: 'cancelled',
    gaveUp: 'cancelled',
    retried: 'running',
  },
  failed: {
    started: 'failed',
    paused: 'failed',
    resumed: 'failed',
    cancelAsked: 'failed',
    cancelled: 'failed',
    completed: 'failed',
    completedWithFailures: 'failed',
    gaveUp: 'failed',
    retried: 'running',
  },
};

/** States in which it holds its windows: another backfill must not load them at the same time. */
export const isOpen = (state: BackfillState): boolean =>
  state !== 'planned' && !backfillStates[state].terminal;
export const OPEN_STATES = BACKFILL_STATES.filter(isOpen);

export const chunkStates = {
  pending: { terminal: false, description: 'Not begun, or to be tried again.' },
  fetching: { terminal: false, description: 'Its records are being fetched and published.' },
  published: { terminal: false, description: 'Its records are in Kafka, at offsets that are on record.' },
  loaded: {
    terminal: false,
    description: 'Its records are rows of the fact table; its hours are still to be made anew.',
  },
  done: { terminal: true, description: 'Its records are loaded, and its hours agree with them.' },
  failed: { terminal: true, description: 'It was given up, for the reason that is on record.' },
  cancelled: { terminal: true, description: 'It was cancelled before it was done.' },
} as const satisfies Record<string, StateFacts>;
export type ChunkState = keyof typeof chunkStates;
export const CHUNK_STATES = Object.keys(chunkStates) as readonly ChunkState[];

export const CHUNK_EVENTS = [
  'begun',
  'published',
  'loaded',
  'finished',
  'gaveUp',
  'cancelled',
  'retried',
] as const;
export type ChunkEvent = (typeof CHUNK_EVENTS)[number];

/** Total: an event that means nothing in a state leaves it as it is. */
export const chunkTransitions: Readonly<Record<ChunkState, Readonly<Record<ChunkEvent, ChunkState>>>> = {
  pending: {
    begun: 'fetching',
    published: 'pending',
    loaded: 'pending',
    finished: 'pending',
    gaveUp: 'failed',
    cancelled: 'cancelled',
    retried: 'pending',
  },
  fetching: {
    begun: 'fetching',
    published: 'published',
    // Records that are in the log already are loaded from there.
    loaded: 'loaded',
    finished: 'fetching',
    gaveUp: 'failed',
    cancelled: 'cancelled',
    retried: 'fetching',
  },
  published: {
    begun: 'published',
    published: 'published',
    loaded: 'loaded',
    finished: 'published',
    gaveUp: 'failed',
    cancelled: 'cancelled',
    retried: 'published',
  },
  loaded: {
    begun: 'loaded',
    published: 'loaded',
    loaded: 'loaded',
    finished: 'done',
    gaveUp: 'failed',
    cancelled: 'cancelled',
    retried: 'loaded',
  },
  done: {
    begun: 'done',
    published: 'done',
    loaded: 'done',
    finished: 'done',
    gaveUp: 'done',
    cancelled: 'done',
    retried: 'done',
  },
  failed: {
    begun: 'failed',
    published: 'failed',
    loaded: 'failed',
    finished: 'failed',
    gaveUp: 'failed',
    cancelled: 'failed',
    retried: 'pending',
  },
  cancelled: {
    begun: 'cancelled',
    published: 'cancelled',
    loaded: 'cancelled',
    finished: 'cancelled',
    gaveUp: 'cancelled',
    cancelled: 'cancelled',
    retried: 'pending',
  },
};

/** How a backfill has ended whose chunks have all ended. */
export function endingOf(
  counts: Readonly<Record<ChunkState, { readonly chunks: number }>>,
): 'completed' | 'completedWithFailures' {
  return counts.failed.chunks + counts.cancelled.chunks === 0 ? 'completed' : 'completedWithFailures';
}
