/** Follows a backfill to its end: a block that redraws itself on a terminal, a line for each change without one. */
import { setTimeout as delay } from 'node:timers/promises';
import { createLogUpdate } from 'log-update';
import { BackfillFailedError, type BackfillRun } from '../../clients/backfill-control.ts';
import type { Queries } from '../../clients/postgres.ts';
import { backfillStates } from '../../domain/backfill-states.ts';
import { HourglassError } from '../../domain/errors.ts';
import { type BackfillStanding, standingLine, standingOf, standingText } from './standing.ts';

const LOOK_MS = 1_000;

/** Thrown when a backfill that was followed has ended, and not everything of it is loaded. */
export class BackfillIncompleteError extends HourglassError {
  constructor({ record: { id, status } }: BackfillStanding) {
    super(
      'BACKFILL_INCOMPLETE',
      `${id} is ${status}: ${backfillStates[status].description} \`npx hourglass backfill show ${id}\` tells what failed, \`npx hourglass backfill retry ${id}\` tries it once more.`,
    );
  }
}

export interface View {
  show(standing: BackfillStanding): void;
  close(): void;
}

/** @param stream standard error where standard output is for something else */
export function createView(stream: NodeJS.WriteStream): View {
  if (!stream.isTTY) {
    let told = '';
    return {
      show(standing) {
        const line = standingLine(standing);
        // The rate changes with each look, and alone it is no news.
        const news = line.split(' windows,')[0] ?? line;
        if (news !== told) stream.write(`${line}\n`);
        told = news;
      },
      close: () => undefined,
    };
  }
  const draw = createLogUpdate(stream);
  return { show: (standing) => draw(standingText(standing)), close: () => draw.done() };
}

/** Shows it until it has ended. @returns how it stands then */
export async function watchBackfill(database: Queries, id: string, view: View): Promise<BackfillStanding> {
  for (;;) {
    const standing = await standingOf(database, id);
    view.show(standing);
    if (backfillStates[standing.record.status].terminal) return standing;
    await delay(LOOK_MS);
  }
}

/**
 * Shows it until the workflow has ended: right after a start, or a retry, the ledger still tells what was before.
 * @returns how it stands then
 * @throws BackfillFailedError when the ledger knows of no end
 */
export async function followRun(
  database: Queries,
  id: string,
  run: Pick<BackfillRun, 'ended'>,
  view: View,
): Promise<BackfillStanding> {
  const result = run.ended().then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  const over = result.then(() => true);
  for (;;) {
    const isOver = await Promise.race([over, delay(LOOK_MS, false)]);
    const standing = await standingOf(database, id);
    view.show(standing);
    if (!isOver) continue;
    const failure = await result;
    const { terminal } = backfillStates[standing.record.status];
    if (failure !== undefined && !(terminal && failure.error instanceof BackfillFailedError))
      throw failure.error;
    // Attached to one that another workflow runs.
    return terminal ? standing : watchBackfill(database, id, view);
  }
}
