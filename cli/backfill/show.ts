/** `hourglass backfill list` and `show`: what the ledger knows of backfills. */
import { listBackfills } from '../../clients/backfill-ledger.ts';
import { instant, renderNotedTable } from '../job/format.ts';
import { withDatabase } from '../with-database.ts';
import { BackfillIncompleteError, createView, watchBackfill } from './follow.ts';
import { shown } from './plan-text.ts';
import { standingDocument, standingOf, standingText } from './standing.ts';

export interface ListOptions {
  readonly pipeline?: string;
  readonly limit: number;
  readonly json?: boolean;
}

export async function listAllBackfills({ pipeline, limit, json }: ListOptions): Promise<void> {
  const backfills = await withDatabase((database) =>
    listBackfills(database, pipeline === undefined ? { limit } : { pipeline, limit }),
  );
  if (json) console.log(JSON.stringify(backfills, undefined, 2));
  else if (backfills.length === 0)
    console.log('There is no backfill: `npx hourglass backfill plan --from … --to …` plans one.');
  else
    console.log(
      renderNotedTable(
        ['Backfill', 'State', 'Chunks', 'Input', 'Started'],
        backfills.map(({ id, status, chunks, chunksByStatus, request, startedAt }) => ({
          cells: [
            id,
            status,
            `${shown(chunksByStatus.done)} of ${shown(chunks)}`,
            request.input,
            startedAt === null ? '–' : instant(startedAt),
          ],
          note: `${request.from} to ${request.to}${request.reason === '' ? '' : `: ${request.reason}`}`,
        })),
        process.stdout.columns,
      ),
    );
}

export interface ShowOptions {
  readonly watch?: boolean;
  readonly json?: boolean;
}

export async function showBackfill(id: string, { watch, json }: ShowOptions): Promise<void> {
  await withDatabase(async (database) => {
    const standing = watch
      ? await watched(id, json ? process.stderr : process.stdout, database)
      : await standingOf(database, id);
    if (json) console.log(JSON.stringify(standingDocument(standing), undefined, 2));
    else if (!watch || !process.stdout.isTTY) console.log(standingText(standing));
    if (watch && standing.record.status !== 'completed') throw new BackfillIncompleteError(standing);
  });
}

type Asked = Parameters<typeof standingOf>[0];

async function watched(id: string, stream: NodeJS.WriteStream, database: Asked) {
  const view = createView(stream);
  try {
    return await watchBackfill(database, id, view);
  } finally {
    view.close();
  }
}
