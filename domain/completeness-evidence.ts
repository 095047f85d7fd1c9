/** Owns the shape of a window's evidence: what proves the reason of its verdict, as `sql/queries/judge-windows.sql` puts it together. */

/** The slot of one poll: whether a run was completed in it. */
interface PollSlot {
  readonly shard: number;
  /** ISO 8601, as all instants here; `to` does not belong to it. */
  readonly from: string;
  readonly to: string;
}

/** What an ingestion run has on record of the location; the run is named by its shard and nominal time. */
interface PollOutcome {
  readonly shard: number;
  readonly scheduledAt: string;
  readonly outcome: 'unchanged' | 'stored' | 'failed' | 'rejected' | 'skipped';
  readonly reason?: string;
}

interface LogPlace {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** How far the stream had read one partition when the check began. */
export interface LogReading {
  readonly topic: string;
  readonly partition: number;
  /** Of its consumer group; null when it has committed none. */
  readonly committed: number | null;
  readonly end: number;
}

/** Whatever is known of a window that is not good; what is absent is not the case. */
export interface WindowEvidence {
  readonly missingRuns?: readonly PollSlot[];
  /** Slots in which a run was completed, without anything on record of the location: it was published, and is not stored. */
  readonly unaccountedPolls?: readonly PollSlot[];
  /** One list for each poll, as here below. */
  readonly failedCalls?: readonly (readonly PollOutcome[])[];
  readonly rejectedCalls?: readonly (readonly PollOutcome[])[];
  /** Polls that were answered, with what is stored or what was known before. */
  readonly answeredPolls?: readonly (readonly PollOutcome[])[];
  readonly deadLetters?: readonly (LogPlace & { readonly reason: string })[];
  readonly published?: readonly LogPlace[];
  readonly figures?: Readonly<Record<string, { readonly observations?: unknown; readonly hourly?: unknown }>>;
  readonly backfills?: readonly {
    readonly backfill: string;
    readonly chunk: string;
    readonly status: string;
  }[];
  readonly reading?: readonly LogReading[];
}
