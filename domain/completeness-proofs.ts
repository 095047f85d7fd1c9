/** Puts the evidence of a window into words: in short for the sentence of its reason, and each proof as a sentence that names its row or offset. */
import type { LogReading, WindowEvidence } from './completeness-evidence.ts';
import type { CompletenessReason } from './completeness-verdicts.ts';

interface ProvenWindow {
  readonly windowStart: Date;
  readonly observed: number;
  readonly aggregated: number | null;
  readonly reason: CompletenessReason | null;
  readonly evidence: WindowEvidence | null;
}

type Kind = keyof WindowEvidence;
type PollOutcomes = NonNullable<WindowEvidence['failedCalls']>[number];
type PollSlots = NonNullable<WindowEvidence['missingRuns']>;

const MOST_LISTED = 6;
/** Figures are compared in eleven digits; fewer tell them apart only by chance. */
const DIGITS = 12;

/** What stands for the words in braces of the reason's sentence. */
export function reasonWords(window: ProvenWindow, reason: CompletenessReason): string {
  const words = window.evidence === null ? '' : WORDS[reason](window.evidence, window);
  return words === '' ? '(not on record)' : words;
}

const WORDS: Readonly<
  Record<CompletenessReason, (evidence: WindowEvidence, window: ProvenWindow) => string>
> = {
  run_missing: ({ missingRuns = [] }, { windowStart }) =>
    listed(missingRuns.map(({ from }) => clock(from, windowStart))),
  api_failed: ({ failedCalls = [] }, { windowStart }) => reasonsOf(failedCalls.flat(), windowStart),
  source_unchanged: (evidence, { windowStart }) => sourceWords(evidence, windowStart),
  record_rejected: ({ deadLetters = [], rejectedCalls = [] }, { windowStart }) =>
    [
      ...deadLetters.map((letter) => `${placeOf(letter)} (${withoutStop(letter.reason)})`),
      ...(rejectedCalls.length === 0 ? [] : [`the answer ${reasonsOf(rejectedCalls.flat(), windowStart)}`]),
    ].join('; '),
  not_yet_processed: ({ reading = [] }) => listed(reading.filter(isUnread).map(unreadText)),
  published_not_stored: ({ published = [] }) => listed(published.map(placeOf)),
  aggregate_wrong: ({ figures = {} }, { aggregated, observed }) => {
    if (aggregated === null) return 'every figure: it has no row';
    return observed === 0 ? 'every figure: none is stored' : listed(Object.keys(figures));
  },
  unknown: () => '',
};

function sourceWords({ answeredPolls = [], backfills = [] }: WindowEvidence, windowStart: Date): string {
  const polls = answeredPolls.flatMap(([first]) =>
    first === undefined ? [] : [clock(first.scheduledAt, windowStart)],
  );
  const answered = polls.length === 0 ? [] : [`its polls of ${listed(polls)} were answered`];
  const loaded = backfills.map(({ backfill }) => `${backfill} has loaded all of its history`);
  const all = [...answered, ...(answered.length === 0 ? [...new Set(loaded)] : [])];
  return all.length === 0 ? 'no poll of the hour was due' : all.join(', ');
}

/** Every proof there is, those of the window's reason first. */
export function proofSentences({ evidence, ...window }: ProvenWindow): readonly string[] {
  if (evidence === null) return [];
  const first = window.reason === null ? [] : PROOFS_OF[window.reason];
  const kinds = [...first, ...KINDS.filter((kind) => !first.includes(kind))];
  return kinds.flatMap((kind) => SENTENCES[kind](evidence, { evidence, ...window }));
}

const PROOFS_OF: Readonly<Record<CompletenessReason, readonly Kind[]>> = {
  run_missing: ['missingRuns'],
  api_failed: ['failedCalls'],
  source_unchanged: ['answeredPolls', 'backfills'],
  record_rejected: ['deadLetters', 'rejectedCalls'],
  not_yet_processed: ['reading'],
  published_not_stored: ['published'],
  aggregate_wrong: ['figures'],
  unknown: [],
};

const SENTENCES: Readonly<
  Record<Kind, (evidence: WindowEvidence, window: ProvenWindow) => readonly string[]>
> = {
  missingRuns: ({ missingRuns = [] }, { windowStart }) =>
    slotSentences(
      missingRuns,
      windowStart,
      (shard, slot) => `ingest_runs: shard ${shard} completed no run ${slot}.`,
    ),
  unaccountedPolls: ({ unaccountedPolls = [] }, { windowStart }) =>
    slotSentences(
      unaccountedPolls,
      windowStart,
      (shard, slot) =>
        `ingest_runs: shard ${shard} completed a run ${slot}, and has neither an exception of the location nor knows it as unchanged: what it published is not stored.`,
    ),
  failedCalls: ({ failedCalls = [] }, { windowStart }) =>
    failedCalls.flatMap((outcomes) => exceptionSentences(outcomes, windowStart)),
  rejectedCalls: ({ rejectedCalls = [] }, { windowStart }) =>
    rejectedCalls.flatMap((outcomes) => exceptionSentences(outcomes, windowStart)),
  answeredPolls: ({ answeredPolls = [] }, { windowStart }) =>
    answeredPolls.flatMap((outcomes) => answeredSentences(outcomes, windowStart)),
  deadLetters: ({ deadLetters = [] }) =>
    deadLetters.map((letter) => `dead_letters: ${placeOf(letter)}: ${withoutStop(letter.reason)}.`),
  published: ({ published = [] }) =>
    published.map((place) => `The log: ${placeOf(place)} is a record of the hour, and no stored row.`),
  figures: ({ figures }, window) => (figures === undefined ? [] : figureSentences(figures, window)),
  backfills: ({ backfills = [] }) =>
    backfills.map(({ backfill, chunk, status }) => `backfill_chunks: ${chunk} of ${backfill} is ${status}.`),
  reading: ({ reading = [] }) => reading.filter(isUnread).map(readingSentence),
};
const KINDS = Object.keys(SENTENCES) as readonly Kind[];

function slotSentences(
  slots: PollSlots,
  windowStart: Date,
  say: (shard: number, slot: string) => string,
): readonly string[] {
  return slots.map(({ shard, from, to }) =>
    say(shard, `from ${clock(from, windowStart)} to ${clock(to, windowStart)}`),
  );
}

/** Of the runs of one slot, which may be many as a location that fails is asked again by the next: one sentence for each reason. */
const exceptionSentences = (outcomes: PollOutcomes, windowStart: Date): readonly string[] =>
  alike(outcomes, windowStart, ({ shard, outcome, reason }) => `shard ${shard}, ${outcome}: ${reason}`).map(
    ([what, times]) => `ingest_exceptions: ${what} (${times}).`,
  );

function answeredSentences(outcomes: PollOutcomes, windowStart: Date): readonly string[] {
  return outcomes
    .filter(({ outcome }) => outcome === 'unchanged' || outcome === 'stored')
    .map(({ shard, scheduledAt, outcome }) => {
      const run = `ingest_runs: shard ${shard}, run of ${clock(scheduledAt, windowStart)}`;
      return outcome === 'stored'
        ? `${run}: what it published of the location is stored.`
        : `${run}: the location is among its unchanged_ids.`;
    });
}

function figureSentences(
  figures: NonNullable<WindowEvidence['figures']>,
  { aggregated, observed }: ProvenWindow,
): readonly string[] {
  if (aggregated === null)
    return [`There is no row of the hour, and ${observed} of its observations are stored.`];
  if (observed === 0) return [`The hour's row counts ${aggregated}, and no observation of it is stored.`];
  return Object.entries(figures).map(
    ([figure, { hourly, observations }]) =>
      `${figure}: ${figureText(hourly)} in the hour's row, ${figureText(observations)} from its observations.`,
  );
}

const figureText = (value: unknown): string => {
  if (value === null || value === undefined) return 'nothing';
  return typeof value === 'number' ? String(Number(value.toPrecision(DIGITS))) : String(value);
};

const isUnread = ({ committed, end }: LogReading): boolean => (committed ?? 0) < end;

const unreadText = ({ topic, partition, committed, end }: LogReading): string =>
  `offsets ${committed ?? 0} to ${end - 1} of ${topic}, partition ${partition}`;

const readingSentence = ({ topic, partition, committed, end }: LogReading): string =>
  `The stream's consumer group: it had ${committed === null ? 'committed nothing' : `read up to offset ${committed}`} of ${topic}, partition ${partition}, when the log's end was ${end}.`;

const placeOf = ({
  topic,
  partition,
  offset,
}: {
  topic: string;
  partition: number;
  offset: number;
}): string => `offset ${offset} of ${topic}, partition ${partition}`;

/** `timeout at 17:10 and 17:11, 500 at 17:20`. */
const reasonsOf = (outcomes: PollOutcomes, windowStart: Date): string =>
  listed(
    alike(outcomes, windowStart, ({ reason }) => reason).map(([reason, times]) => `${reason} at ${times}`),
  );

/** Those that failed or were rejected, of which the same is said, with their times. */
function alike(
  outcomes: PollOutcomes,
  windowStart: Date,
  say: (outcome: Required<PollOutcomes[number]>) => string,
): readonly (readonly [string, string])[] {
  const times = new Map<string, string[]>();
  for (const outcome of outcomes) {
    if (outcome.outcome === 'unchanged' || outcome.outcome === 'stored') continue;
    const text = say({ ...outcome, reason: withoutStop(outcome.reason ?? 'no reason on record') });
    times.set(text, [...(times.get(text) ?? []), clock(outcome.scheduledAt, windowStart)]);
  }
  return [...times].map(([text, at]) => [text, listed(at)]);
}

/** The time of day in UTC, with the day where it is not the window's. */
function clock(instant: string, windowStart: Date): string {
  const text = new Date(instant).toISOString();
  const isSameDay = text.slice(0, 10) === windowStart.toISOString().slice(0, 10);
  return isSameDay ? text.slice(11, 16) : text.slice(0, 16).replace('T', ' ');
}

/** `a, b and c`; of many only the first. */
function listed(items: readonly string[]): string {
  if (items.length > MOST_LISTED)
    return `${items.slice(0, MOST_LISTED).join(', ')} and ${items.length - MOST_LISTED} more`;
  return items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;
}

const withoutStop = (text: string): string => text.replace(/\.$/, '');
