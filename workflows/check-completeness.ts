/**
 * Judges every hour of every location, explains what is not complete, repairs it, and tells a person. Started each hour, when it goes on from
 * where the last check ended; by hand for any range. What is judged how is decided in `domain/completeness-*.ts`.
 */
import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  makeContinueAsNewFunc,
  setCurrentDetails,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { AskedCheck, JudgedStep, RangeText, StreamReading } from '../activities/completeness.ts';
import { touchedRanges } from '../domain/completeness-repairs.ts';
import type { CompletenessVerdict } from '../domain/completeness-verdicts.ts';
import { searchAttributes } from '../domain/search-attributes.ts';
import type { Alert } from '../schemas/alert.ts';
import { type BegunCheck, type CompletenessInput, completenessInputSchema } from '../schemas/completeness.ts';
import {
  awaitReading,
  beginCompletenessCheck,
  endCompletenessCheck,
  explainRange,
  judgeRange,
  notify,
  planWindowRepairs,
} from './completeness/calls.ts';
import { type RepairResult, repairWindows } from './completeness/repairs.ts';
import { showWindow } from './scheduled-window.ts';

type Counts = Record<CompletenessVerdict, number>;

export interface CompletenessResult {
  /** The check's id on record; one by hand is not. */
  readonly id: string;
  /** How many windows were judged so, before anything was repaired. */
  readonly found: Readonly<Counts>;
  /** How many rows of the ledger were written. */
  readonly changed: number;
  /** Left out when nothing was to be repaired, or nothing is. */
  readonly repairs?: Omit<RepairResult, 'touched'>;
}

export async function checkCompleteness(given: CompletenessInput): Promise<CompletenessResult> {
  const { carried, ...asked } = parse(given);
  introduce(asked);
  const begun = carried?.begun ?? (await beginCompletenessCheck({ asked, id: checkId() }));
  const sum = new Sum(begun, carried);

  const stream = await awaitReading({
    ...{ pipeline: asked.pipeline, logEnds: begun.logEnds, seconds: asked.policy.waitForStreamSeconds },
  });
  for (const [place, range] of begun.ranges.entries()) {
    if (workflowInfo().continueAsNewSuggested) await goOn(asked, sum, begun.ranges.slice(place));
    sum.show(`Judging ${range.from} to ${range.to}.`);
    const step = stepOf(asked, begun, stream, range);
    const judged = await judgeRange(step);
    const { judged: again, isWhole } = await explainRange(step);
    sum.add((again ?? judged).byVerdict, judged.changed + (again?.changed ?? 0));
    sum.isWhole &&= isWhole;
  }

  const repairs = begun.repairs ? await repair(asked, begun, stream, sum) : undefined;
  await end(asked, begun, sum);
  return { id: begun.id, found: sum.counts, changed: sum.changed, ...(repairs && { repairs }) };
}

/** @returns undefined when nothing needs a repair */
async function repair(
  asked: AskedCheck,
  begun: BegunCheck,
  before: StreamReading,
  sum: Sum,
): Promise<CompletenessResult['repairs']> {
  sum.show('Repairing what can be repaired.');
  const plan = await planWindowRepairs({ asked, mayGiveUp: sum.isWhole });
  const { touched, ...result } = await repairWindows(asked, plan);
  if (touched.length === 0) return undefined;
  sum.show('Judging again what was repaired.');
  // It may be behind no more; what it has read by now need not be waited for.
  const stream = before.isBehind
    ? await awaitReading({ pipeline: asked.pipeline, logEnds: begun.logEnds, seconds: 0 })
    : before;
  for (const range of touchedRanges(touched, asked.policy.stepHours)) {
    const { changed } = await judgeRange(stepOf(asked, begun, stream, range));
    sum.changed += changed;
  }
  return result;
}

async function end(asked: AskedCheck, begun: BegunCheck, sum: Sum): Promise<void> {
  const { counts, changed } = sum;
  const alerts = await endCompletenessCheck({ asked, begun, counts, changed });
  sum.show('It has ended.');
  for (const alert of alerts) await told(alert);
}

/** A receiver that cannot be reached stands in the history as a failed activity; the check itself has ended well. */
async function told(alert: Alert): Promise<void> {
  try {
    await notify(alert);
  } catch (error) {
    if (!(error instanceof ActivityFailure) || CancellationScope.current().consideredCancelled) throw error;
  }
}

const stepOf = (
  asked: AskedCheck,
  begun: BegunCheck,
  stream: StreamReading,
  range: RangeText,
): JudgedStep => {
  const { at, overUntil, openRepairs } = begun;
  return { asked, begun: { at, overUntil, openRepairs }, range, ...stream };
};

/** What is put on record is known by the workflow and its run: a check by the same name is another one. */
function checkId(): string {
  const { workflowId, firstExecutionRunId } = workflowInfo();
  return `${workflowId}/${firstExecutionRunId}`;
}

async function goOn(
  asked: AskedCheck,
  { begun, counts, changed, isWhole }: Sum,
  ranges: BegunCheck['ranges'],
): Promise<void> {
  const carried = { begun: { ...begun, ranges }, counts, changed, isWhole };
  await makeContinueAsNewFunc<typeof checkCompleteness>({ initialVersioningBehavior: 'AUTO_UPGRADE' })({
    ...asked,
    carried,
  });
}

function introduce({ pipeline, source }: AskedCheck): void {
  showWindow();
  upsertSearchAttributes([
    { key: searchAttributes.pipeline, value: pipeline },
    { key: searchAttributes.source, value: source },
  ]);
}

/** What was found so far, and how that gets on the screen. */
class Sum {
  readonly begun: BegunCheck;
  readonly counts: Counts;
  changed: number;
  /** Whether all of the log was looked through that might explain something. */
  isWhole: boolean;

  constructor(begun: BegunCheck, carried: CompletenessInput['carried']) {
    this.begun = begun;
    this.isWhole = carried?.isWhole ?? true;
    this.counts = { ...carried?.counts } as Counts;
    this.changed = carried?.changed ?? 0;
  }

  add(byVerdict: Readonly<Counts>, changed: number): void {
    for (const [verdict, windows] of Object.entries(byVerdict) as [CompletenessVerdict, number][])
      this.counts[verdict] = (this.counts[verdict] ?? 0) + windows;
    this.changed += changed;
  }

  /** What the Temporal UI shows without opening a payload. */
  show(step: string): void {
    const counts = Object.entries(this.counts).filter(([, windows]) => windows > 0);
    const text = counts.map(([verdict, windows]) => `${windows} ${verdict}`).join(', ');
    setCurrentDetails([step, text === '' ? 'Nothing is judged yet.' : text].join('  \n'));
  }
}

function parse(given: unknown) {
  const parsed = completenessInputSchema.safeParse(given);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(({ path, message }) => [...path.map(String), message].join(': '));
  throw ApplicationFailure.nonRetryable(`the input is not valid: ${issues.join('; ')}`, 'INVALID_INPUT');
}
