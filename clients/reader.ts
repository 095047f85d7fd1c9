/** The door for questions that people write in SQL: one statement, in a transaction that can only read, with a time limit. */
import pg from 'pg';
import { HourglassError, reasonOf } from '../domain/errors.ts';
import { connectionOptions, PostgresError, type PostgresOptions } from './postgres.ts';

/** Thrown when PostgreSQL cannot or will not answer what was asked: a mistake in it, or more than a reader may do. */
export class QuestionRefusedError extends HourglassError {
  constructor(cause: unknown) {
    const { position, hint } = cause as { position?: string; hint?: string };
    const where = position === undefined ? '' : ` (at character ${position})`;
    const rather = hint === undefined ? '' : ` ${hint}`;
    super('QUESTION_REFUSED', `PostgreSQL refuses the question: ${reasonOf(cause)}${where}.${rather}`, {
      cause,
    });
  }
}

/** Thrown when the answer took longer than it was allowed to. What had come by then was handed over. */
export class QuestionTooLongError extends HourglassError {
  constructor(timeoutSeconds: number, cause: unknown) {
    super(
      'QUESTION_TOO_LONG',
      `The question took longer than ${timeoutSeconds} s: ask for less (a range of time, a limit), or allow more with --timeout <seconds>.`,
      { cause },
    );
  }
}

/** What PostgreSQL calls the type of a column, as far as whoever shows a value wants to know. */
export type ColumnKind = 'number' | 'boolean' | 'json' | 'time' | 'text';

export interface Column {
  readonly name: string;
  readonly kind: ColumnKind;
}

export interface Answer {
  readonly columns: readonly Column[];
  readonly rowCount: number;
}

export type Cells = readonly (string | null)[];

/** Takes an answer row by row: it may be larger than the memory. Values are PostgreSQL's own text, times in UTC. */
export type OnRow = (row: Cells, columns: readonly Column[]) => void;

/**
 * Asks one statement, as the role of `options`, which is to be the reader's.
 * @throws QuestionRefusedError, QuestionTooLongError, PostgresError when the server cannot be reached
 */
export async function ask(
  options: PostgresOptions,
  question: string,
  timeoutSeconds: number,
  onRow: OnRow,
): Promise<Answer> {
  const client = new pg.Client(connectionOptions(options));
  // A connection that breaks says so beside the query that fails with it.
  client.on('error', () => undefined);
  try {
    await client.connect().catch((error) => {
      throw new PostgresError(`connecting as ${options.user}`, error);
    });
    await client.query(`set statement_timeout = ${Math.round(timeoutSeconds * 1_000)}`);
    await client.query('begin read only');
    return await answer(client, question, onRow).catch((error) => {
      throw classified(error, timeoutSeconds);
    });
  } finally {
    await client.end();
  }
}

function classified(error: unknown, timeoutSeconds: number): HourglassError {
  const { code } = error as { code?: string };
  if (code === '57014') return new QuestionTooLongError(timeoutSeconds, error);
  // Without a code of PostgreSQL's own the connection broke.
  const isAnswer = code !== undefined && /^[0-9A-Z]{5}$/.test(code) && !/^(08|53|57|58|XX)/.test(code);
  return isAnswer ? new QuestionRefusedError(error) : new PostgresError('the question', error);
}

function answer(client: pg.Client, text: string, onRow: OnRow): Promise<Answer> {
  // The extended protocol takes one statement: nothing behind a semicolon can end the transaction that only reads.
  const config = { text, queryMode: 'extended', rowMode: 'array', types: { getTypeParser: () => asItIs } };
  const query = client.query(new pg.Query<(string | null)[]>(config as unknown as pg.QueryConfig));
  let columns: readonly Column[] | undefined;
  let rowCount = 0;
  return new Promise((resolve, reject) => {
    query.on('row', (row, result) => {
      columns ??= columnsOf(result?.fields ?? []);
      rowCount += 1;
      onRow(row, columns);
    });
    query.on('error', reject);
    query.on('end', ({ fields }) => resolve({ columns: columns ?? columnsOf(fields), rowCount }));
  });
}

const asItIs = (value: string): string => value;

const { builtins } = pg.types;
const KINDS: readonly (readonly [ColumnKind, readonly number[]])[] = [
  [
    'number',
    [
      builtins.INT2,
      builtins.INT4,
      builtins.INT8,
      builtins.FLOAT4,
      builtins.FLOAT8,
      builtins.NUMERIC,
      builtins.OID,
    ],
  ],
  ['boolean', [builtins.BOOL]],
  ['json', [builtins.JSON, builtins.JSONB]],
  ['time', [builtins.TIMESTAMPTZ]],
];

const columnsOf = (fields: readonly pg.FieldDef[]): readonly Column[] =>
  fields.map(({ name, dataTypeID }) => ({
    name,
    kind: KINDS.find(([, types]) => types.includes(dataTypeID))?.[0] ?? 'text',
  }));
