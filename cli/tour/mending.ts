/** Has the broken hour of a tour checked until it is good again, and tells each change of its verdict with the proofs. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { type CheckRequest, startCheck } from '../../clients/completeness-control.ts';
import { type JudgedWindow, judgedWindows, windowChanges } from '../../clients/completeness-ledger.ts';
import type { Queries } from '../../clients/postgres.ts';
import { explainWindow } from '../../domain/completeness-explanations.ts';
import { type CompletenessVerdict, completenessVerdicts } from '../../domain/completeness-verdicts.ts';
import { HourglassError } from '../../domain/errors.ts';
import { stretch } from '../job/format.ts';
import type { TourHour } from './hour.ts';

const LOOK_MS = 500;
/** A repair that goes on beside its check is judged by another one. */
const NEXT_CHECK_MS = 5_000;
const WITHIN_MS = 5 * 60_000;

/** Thrown when the hour is not good in time. The check of each hour goes on trying to mend it. */
export class TourNotInTimeError extends HourglassError {
  constructor({ location, from }: TourHour, verdict: string) {
    super(
      'TOUR_NOT_IN_TIME',
      `The hour is still ${verdict} after ${stretch(WITHIN_MS)}: \`npx hourglass completeness explain ${location.city_id} ${from.toISOString().slice(0, 13)}\` tells why. The check of each hour goes on trying.`,
      { retryable: true },
    );
  }
}

export interface Mending {
  readonly hour: TourHour;
  readonly source: string;
  readonly shards: number;
  readonly say: (text: string) => void;
}

/**
 * @returns the verdicts that it had, one after the other
 * @throws TourNotInTimeError, CheckNotAnsweringError, CheckFailedError
 */
export async function followMending(
  client: Client,
  database: Queries,
  { hour, source, shards, say }: Mending,
): Promise<readonly CompletenessVerdict[]> {
  const request: CheckRequest = {
    ...{ pipeline: hour.pipeline, source, shards, repair: true },
    ...{ from: hour.from.toISOString(), to: hour.to.toISOString(), entities: [hour.location.city_id] },
  };
  const story = await createStory(database, hour, say);
  const deadline = Date.now() + WITHIN_MS;
  for (;;) {
    const run = await startCheck(client, request);
    say(`\nChecked by the workflow ${run.workflowId}.`);
    await run.answers();
    await untilEnded(run.ended(), story.tellNew, deadline);
    const window = await story.tellNew();
    const isOver = Date.now() >= deadline;
    if (window !== undefined && isMended(window)) return story.verdicts;
    if (isOver) throw new TourNotInTimeError(hour, window?.verdict ?? 'not judged');
    await delay(NEXT_CHECK_MS);
  }
}

const isMended = ({ verdict }: JudgedWindow): boolean =>
  completenessVerdicts[verdict].isGood && verdict !== 'open';

async function untilEnded(
  ended: Promise<void>,
  look: () => Promise<unknown>,
  deadline: number,
): Promise<void> {
  const over = ended.then(() => true);
  while (!(await Promise.race([over, delay(LOOK_MS, false)]))) {
    await look();
    if (Date.now() < deadline) continue;
    // Nobody waits for it any more, and closing the connection ends it with an error.
    over.catch(() => undefined);
    return;
  }
}

/** What became of the window since now. */
async function createStory(database: Queries, hour: TourHour, say: (text: string) => void) {
  const { pipeline, from, to, location } = hour;
  const entityId = location.city_id;
  const changes = () => windowChanges(database, { pipeline, entityId, from, to });
  let told = (await changes()).length;
  const verdicts: CompletenessVerdict[] = [];
  return {
    verdicts,
    /** @returns how it is judged now */
    async tellNew(): Promise<JudgedWindow | undefined> {
      const fresh = (await changes()).slice(told);
      const question = { pipeline, from, to, entities: [entityId], limit: 1 };
      const [window] = await judgedWindows(database, question);
      told += fresh.length;
      for (const [index, { verdict, reason }] of fresh.entries()) {
        verdicts.push(verdict);
        const isNow = index === fresh.length - 1 && window?.verdict === verdict && window.reason === reason;
        say(isNow ? foundText(window) : `\n${verdict}${reason === null ? '' : ` (${reason})`}`);
      }
      return window;
    },
  };
}

export function foundText(window: JudgedWindow): string {
  const { verdict, counts, reason, proofs, repair } = explainWindow(window);
  return [
    `\n${verdict}`,
    `  ${counts}`,
    ...(reason === null ? [] : [`  ${reason}`]),
    ...proofs.map((proof) => `    ${proof}`),
    `  ${repair}`,
  ].join('\n');
}
