/** How one backfill stands: what the ledger knows of it, with the progress that follows, as data and as text. */
import { type BackfillRecord, backfillOf } from '../../clients/backfill-ledger.ts';
import { type ChunkCounts, countsByStatus } from '../../clients/chunk-ledger.ts';
import type { Queries } from '../../clients/postgres.ts';
import { type BackfillProgress, percentOf, progressBar, progressOf } from '../../domain/backfill-progress.ts';
import { backfillStates, CHUNK_STATES, type ChunkState } from '../../domain/backfill-states.ts';
import { instant, renderFacts, stretch, withoutStop } from '../job/format.ts';
import { counted, inputText, shown } from './plan-text.ts';

const MOST_FAILED = 20;
const BAR_WIDTH = 30;

export interface FailedChunk {
  readonly key: string;
  readonly windows: number;
  readonly reason: string;
}

export interface BackfillStanding {
  readonly record: BackfillRecord;
  readonly counts: Readonly<Record<ChunkState, ChunkCounts>>;
  readonly progress: BackfillProgress;
  /** The first of them. */
  readonly failed: readonly FailedChunk[];
  readonly now: Date;
}

/** @throws UnknownBackfillError */
export async function standingOf(database: Queries, id: string): Promise<BackfillStanding> {
  const record = await backfillOf(database, id);
  const counts = await countsByStatus(database, id);
  const [run] = await database.query<{ windows: number }>('done-windows-of-run', [id]);
  const failed =
    counts.failed.chunks === 0
      ? []
      : await database.query<{ chunk_key: string; window_count: number; error: string | null }>(
          'failed-backfill-chunks',
          [id, MOST_FAILED],
        );
  const now = new Date();
  const { status: state, startedAt, endedAt } = record;
  const doneSinceStart = run?.windows ?? 0;
  return {
    ...{ record, counts, now },
    progress: progressOf({ state, counts, doneSinceStart, startedAt, endedAt, now }),
    failed: failed.map((row) => ({
      key: row.chunk_key,
      windows: row.window_count,
      reason: row.error ?? '',
    })),
  };
}

export function standingText(standing: BackfillStanding): string {
  const { record, counts, progress, failed } = standing;
  const { request } = record;
  return [
    `${record.id} is ${record.status}: ${backfillStates[record.status].description}`,
    ...(record.error === null ? [] : [`It could not go on: ${record.error}`]),
    '',
    renderFacts([
      ['Range', `${request.from} to ${request.to}`],
      [
        'Locations',
        request.entities === undefined ? 'all of the registry' : `${request.entities.length} by their ids`,
      ],
      ['Input', inputText(record)],
      ['Reason', request.reason === '' ? undefined : request.reason],
      ['Started', timesText(standing)],
      ['Workflow', record.startedAt === null ? undefined : record.workflowId],
      ['Progress', `${progressBar(progress.part, BAR_WIDTH)} ${windowsText(progress)}`],
      ['Rate', rateText(progress)],
      ['Chunks', chunksText(counts)],
      ['Windows', windowsByStatus(counts)],
      ['File', fileText(record)],
    ]),
    ...failedLines(failed, counts.failed.chunks),
  ].join('\n');
}

/** One line for whoever follows it: `running  ███░░░  41 %  410 of 1,000 windows, 120 a minute, 5 min to go`. */
export function standingLine({ record, progress }: BackfillStanding): string {
  const rate = rateText(progress);
  return `${record.status}  ${progressBar(progress.part, BAR_WIDTH)} ${windowsText(progress)}${rate === undefined ? '' : `, ${rate}`}`;
}

/** What `--json` prints. */
export function standingDocument({ record, counts, progress, failed }: BackfillStanding) {
  const { chunksByStatus: _, windows: __, ...known } = record;
  const { windowsPerMinute = null, secondsLeft = null, windows, done, part } = progress;
  return {
    ...known,
    windows,
    progress: { done, part, windowsPerMinute, secondsLeft },
    byStatus: counts,
    failed,
  };
}

const windowsText = ({ part, done, windows }: BackfillProgress): string =>
  `${percentOf(part)} %  ${shown(done)} of ${counted(windows, 'window')}`;

function rateText({ windowsPerMinute, secondsLeft }: BackfillProgress): string | undefined {
  if (windowsPerMinute === undefined) return undefined;
  const left = secondsLeft === undefined ? '' : `, ${stretch(secondsLeft * 1_000)} to go`;
  const rate = windowsPerMinute < 10 ? windowsPerMinute.toFixed(1) : shown(Math.round(windowsPerMinute));
  return `${rate} windows a minute${left}`;
}

function timesText({ record: { startedAt, endedAt }, now }: BackfillStanding): string {
  if (startedAt === null) return 'not yet';
  if (endedAt === null) return `${instant(startedAt)}, ${stretch(now.getTime() - startedAt.getTime())} ago`;
  return `${instant(startedAt)}, ended after ${stretch(endedAt.getTime() - startedAt.getTime())}`;
}

type Counts = BackfillStanding['counts'];

const chunksText = (counts: Counts): string => listed(counts, 'chunks');
const windowsByStatus = (counts: Counts): string => listed(counts, 'windows');

/** `8 done, 2 fetching, 4 pending`. */
function listed(counts: Counts, what: 'chunks' | 'windows'): string {
  const some = CHUNK_STATES.filter((state) => counts[state][what] > 0).reverse();
  return some.length === 0
    ? 'none'
    : some.map((state) => `${shown(counts[state][what])} ${state}`).join(', ');
}

function fileText({ file }: BackfillRecord): string | undefined {
  if (file === null) return undefined;
  const { line, published, skipped, malformed } = file;
  return `read to line ${shown(line)}: ${shown(published)} published, ${shown(skipped)} skipped, ${shown(malformed)} malformed`;
}

function failedLines(failed: readonly FailedChunk[], all: number): readonly string[] {
  if (failed.length === 0) return [];
  return [
    '',
    all > failed.length ? `The first ${failed.length} of ${shown(all)} chunks that failed:` : 'Failed:',
    ...failed.map(
      ({ key, windows, reason }) => `  ${key}, ${counted(windows, 'window')}: ${withoutStop(reason)}`,
    ),
  ];
}
