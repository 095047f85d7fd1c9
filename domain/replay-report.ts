/**
 * Judges what the replay gate has found: which incompatibility refuses a build, which is only told, and in which words. Replaying is
 * `workers/replay-gate.ts`.
 */

/** How a replay ended that did not end well. */
export type ReplayFault =
  /** The code did something else than the history says. */
  | { readonly kind: 'diverged'; readonly eventId: number | undefined; readonly text: string }
  /** The build has no workflow of the type. */
  | { readonly kind: 'missing' }
  /** The code failed before it came to the history's end, and would in a new run, too. */
  | { readonly kind: 'failed'; readonly text: string };

export interface ReplayFinding {
  readonly type: string;
  /** The workflow's id, or the name of a history that is checked in. */
  readonly name: string;
  readonly runId: string;
  /** Where the history is from: this project as it is, this project before a workflow was changed, or the server. */
  readonly source: 'project' | 'earlier' | 'server';
  /** Whether the run is open and could be given to workers of the build in the middle. */
  readonly mayMove: boolean;
  readonly isOpen: boolean;
  readonly fault: ReplayFault;
}

/** Something carried over that one of the two builds cannot read. */
export interface UnreadableState {
  readonly type: string;
  readonly name: string;
  /** The build that cannot read it, and the one that it is from. */
  readonly reader: string;
  readonly writer: string;
  readonly text: string;
}

export interface ReplayReport {
  readonly buildId: string;
  readonly project: number;
  readonly server: number;
  readonly states: number;
  readonly findings: readonly ReplayFinding[];
  readonly unreadable: readonly UnreadableState[];
  /** How many runs are open on each older build, by workflow type: they stay there. */
  readonly staying: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** What could not be checked, and why. */
  readonly unchecked: readonly string[];
}

export interface ReplayJudgement {
  readonly passed: boolean;
  /** Each a sentence: why the build is refused. */
  readonly refusals: readonly string[];
  /** What does not refuse it. */
  readonly notes: readonly string[];
}

const MOST_SENTENCES = 10;

/**
 * @param moving the types whose runs go on as new runs on another build; they must not have changed unnoticed
 * @param accepted types of which any incompatibility is only told
 */
export function judgeReplay(
  { findings, unreadable, staying, unchecked }: ReplayReport,
  moving: readonly string[],
  accepted: readonly string[],
): ReplayJudgement {
  const isAccepted = ({ type }: { type: string }): boolean => accepted.includes(type);
  const refusing = findings.filter((finding) => !isAccepted(finding) && isStrict(finding, moving));
  const told = findings.filter((finding) => !refusing.includes(finding) && finding.source !== 'earlier');
  const earlier = findings.filter(({ source }) => source === 'earlier');
  const unread = unreadable.filter((state) => !isAccepted(state));
  const refusals = [...unread.map(unreadableSentence), ...refusing.map(findingSentence)];
  return {
    passed: refusals.length === 0,
    refusals: shortened(refusals),
    notes: [
      ...stayingSentences(staying),
      ...shortened([...unreadable.filter(isAccepted).map(unreadableSentence), ...told.map(findingSentence)]),
      ...earlierSentences(earlier),
      ...unchecked,
    ],
  };
}

/**
 * Whether a finding refuses the build. A run that is pinned never meets the build's code: it stays on its own. What is checked in is
 * recorded anew with each intended change, so there a change of what moves was not intended; and what fails would fail in a new run.
 */
export function isStrict(
  { type, source, mayMove, fault }: ReplayFinding,
  moving: readonly string[],
): boolean {
  // What was changed since on purpose: runs of then end on the build that they began on. What they carried over is read.
  if (source === 'earlier') return false;
  switch (fault.kind) {
    case 'failed':
      return true;
    case 'missing':
      return source === 'project' || mayMove;
    case 'diverged':
      return mayMove || (source === 'project' && moving.includes(type));
  }
}

export function findingSentence({ type, name, source, fault }: ReplayFinding): string {
  const which = source === 'project' ? `history ${name}` : `run ${name}`;
  switch (fault.kind) {
    case 'missing':
      return `${type} (${which}): the build has no workflow of this type.`;
    case 'failed':
      return `${type} (${which}): the code fails: ${fault.text}`;
    case 'diverged':
      return `${type} (${which})${fault.eventId === undefined ? '' : `, event ${fault.eventId}`}: ${fault.text}`;
  }
}

const unreadableSentence = ({ type, name, reader, writer, text }: UnreadableState): string =>
  `${type} (${name}): build ${reader} cannot read what a run of ${writer} carries over: ${text}.`;

const earlierSentences = (findings: readonly ReplayFinding[]): string[] =>
  findings.length === 0
    ? []
    : [
        `Recorded before a workflow was changed, and of no run that this build takes over: ${findings.map(({ name }) => name).join(', ')}.`,
      ];

function stayingSentences(staying: ReplayReport['staying']): string[] {
  return Object.entries(staying).flatMap(([buildId, types]) => {
    const total = Object.values(types).reduce((sum, count) => sum + count, 0);
    const each = Object.entries(types).map(([type, count]) => `${count} ${type}`);
    return total === 0
      ? []
      : [`${total} open ${total === 1 ? 'run stays' : 'runs stay'} on build ${buildId}: ${each.join(', ')}.`];
  });
}

const shortened = (sentences: readonly string[]): string[] =>
  sentences.length <= MOST_SENTENCES
    ? [...sentences]
    : [...sentences.slice(0, MOST_SENTENCES), `… and ${sentences.length - MOST_SENTENCES} more.`];

/** The SDK puts the failure of the workflow task into its message as its core prints it. */
const MESSAGE = /message: "((?:[^"\\]|\\.)*)"/;
const DIVERGED = /^\[TMPRL1100\] Nondeterminism error: (.*)$/s;
const NOT_HANDLED = /^(.+?) machine does not handle this event: HistoryEvent\(id: (\d+), (\w+)\)/;
const EVENT = /HistoryEvent\(id: (\d+), \w+\)|event (?:id )?(\d+)/i;
const MISSING = /no such function is exported by the workflow bundle/;
const MOST_CHARACTERS = 400;

/** What the message of a failed replay means. */
export function faultOf(message: string): ReplayFault {
  const inner = (MESSAGE.exec(message)?.[1] ?? message).replace(/\\n/g, ' ').replace(/\\(.)/g, '$1');
  if (MISSING.test(inner)) return { kind: 'missing' };
  const diverged = DIVERGED.exec(inner)?.[1];
  if (diverged === undefined) return { kind: 'failed', text: inner.slice(0, MOST_CHARACTERS) };
  const [, produced, id, event] = NOT_HANDLED.exec(diverged) ?? [];
  if (produced !== undefined)
    return {
      kind: 'diverged',
      eventId: Number(id),
      text: `the history says ${event}, the code produced "${produced}".`,
    };
  const [, first, second] = EVENT.exec(diverged) ?? [];
  const eventId = first ?? second;
  return {
    kind: 'diverged',
    eventId: eventId === undefined ? undefined : Number(eventId),
    text: diverged.slice(0, MOST_CHARACTERS),
  };
}
