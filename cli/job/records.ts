/** `hourglass job history` and `hourglass job savepoints`: what is on record of a Flink job. */
import { withDatabase } from '../with-database.ts';
import { instant, renderNotedTable, stretch } from './format.ts';
import { requireJob } from './known-jobs.ts';

interface ListOptions {
  readonly limit: number;
  readonly json?: boolean;
}

interface EventRow {
  readonly sequence: number;
  readonly happened_at: Date;
  readonly event: string;
  readonly state: string;
  readonly version: string | null;
  readonly attempt: number;
  readonly flink_job_id: string | null;
  readonly reason: string | null;
}

export async function showHistory(name: string, { limit, json }: ListOptions): Promise<void> {
  requireJob(name);
  const events = await withDatabase((database) => database.query<EventRow>('job-events', [name, limit]));
  if (json) print(events.map(eventOf));
  else if (events.length === 0) console.log(`Nothing has happened to ${name} yet.`);
  else
    console.log(
      renderNotedTable(
        ['When (UTC)', 'Event', 'State', 'Version', 'Submission'],
        events.map((row) => ({
          cells: [
            instant(row.happened_at),
            row.event,
            row.state,
            row.version ?? '–',
            row.attempt === 0 ? '–' : String(row.attempt),
          ],
          note: row.reason ?? '',
        })),
        process.stdout.columns,
      ),
    );
}

const eventOf = (row: EventRow) => ({
  sequence: row.sequence,
  at: row.happened_at,
  event: row.event,
  state: row.state,
  version: row.version,
  attempt: row.attempt,
  flinkJobId: row.flink_job_id,
  reason: row.reason,
});

interface SavepointsRow {
  readonly trigger_id: string;
  readonly flink_job_id: string;
  readonly version: string;
  readonly kind: string;
  readonly status: string;
  readonly path: string | null;
  readonly error: string | null;
  readonly created_at: Date;
  readonly finished_at: Date | null;
  readonly disposed_at: Date | null;
}

export async function showSavepoints(name: string, { limit, json }: ListOptions): Promise<void> {
  requireJob(name);
  const rows = await withDatabase((database) =>
    database.query<SavepointsRow>('savepoints-of-job', [name, limit]),
  );
  if (json) print(rows.map(savepointOf));
  else if (rows.length === 0)
    console.log(`There are no savepoints of ${name}; \`npx hourglass job savepoint ${name}\` takes one.`);
  else
    console.log(
      renderNotedTable(
        ['Trigger id', 'Status', 'Kind', 'Age', 'When (UTC)'],
        rows.map((row) => ({
          cells: [row.trigger_id, row.status, row.kind, ageOf(row), instant(row.created_at)],
          note: noteOf(row),
        })),
        process.stdout.columns,
      ),
    );
}

const ageOf = ({ created_at }: SavepointsRow): string => stretch(Date.now() - created_at.getTime());

function noteOf({ path, error, disposed_at }: SavepointsRow): string {
  const text = path ?? error ?? '';
  return disposed_at === null ? text : `${text} (disposed of ${instant(disposed_at)})`;
}

const savepointOf = (row: SavepointsRow) => ({
  triggerId: row.trigger_id,
  kind: row.kind,
  status: row.status,
  createdAt: row.created_at,
  finishedAt: row.finished_at,
  path: row.path,
  error: row.error,
  disposedAt: row.disposed_at,
  version: row.version,
  flinkJobId: row.flink_job_id,
});

function print(value: unknown): void {
  console.log(JSON.stringify(value, undefined, 2));
}
