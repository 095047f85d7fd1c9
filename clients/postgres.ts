/** The door to PostgreSQL: named queries from `sql/queries`, transactions, and errors classified by SQLSTATE. */
import pg from 'pg';
import { HourglassError, reasonOf } from '../domain/errors.ts';
import { fillTables, type TablesOf } from './pipeline-tables.ts';
import { readQuery } from './sql-files.ts';

export interface PostgresOptions {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
  /** Tables are looked up here; tests give each suite a schema of its own. */
  readonly schema?: string;
  readonly connections?: number;
}

/** Thrown for every failure of a query. `retryable` when the server was away, overloaded, or chose this transaction as a victim. */
export class PostgresError extends HourglassError {
  readonly sqlState: string | undefined;

  constructor(what: string, cause: unknown) {
    const sqlState = (cause as { code?: string }).code;
    super('POSTGRES', `PostgreSQL failed at ${what}: ${reasonOf(cause)}.`, {
      retryable: isRetryable(sqlState),
      cause,
    });
    this.sqlState = sqlState;
  }
}

/** SQLSTATE classes and codes, and Node's own codes, after which the same statement may succeed. */
const RETRYABLE = [
  '08',
  '53',
  '57P',
  '40',
  '25P03',
  '55P03',
  // What a server that was killed, or its disk, makes of a question: nothing that is wrong with the question.
  '58',
  'XX000',
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'ENOTCONN',
  'ERR_SOCKET_CLOSED',
  'ERR_STREAM',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
] as const;

function isRetryable(code: string | undefined): boolean {
  // Without any code the connection itself broke.
  return code === undefined || RETRYABLE.some((prefix) => code.startsWith(prefix));
}

export interface Queries {
  /**
   * Runs `sql/queries/<name>.sql`. Instants are `Date`s, bigints are numbers (ids and counts stay below 2^53).
   * @param pipeline whose tables are asked, where the query leaves their names open
   */
  query<Row extends object>(
    name: string,
    parameters?: readonly unknown[],
    pipeline?: string,
  ): Promise<readonly Row[]>;
}

export interface Database extends Queries {
  /** All or nothing: rolled back when `work` throws. */
  transaction<T>(work: (queries: Queries) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** @param tablesOf where queries are asked that leave the names of a pipeline's tables open */
export function connectDatabase(options: PostgresOptions, tablesOf?: TablesOf): Database {
  const pool = new pg.Pool({
    ...connectionOptions(options),
    max: options.connections ?? 8,
    types: { getTypeParser: typeParser },
  });
  // An idle connection that the server closes is not an error of anybody's query; the pool opens another.
  pool.on('error', () => undefined);
  const onClient = (client: pg.Pool | pg.PoolClient): Queries => ({
    query: async <Row extends object>(
      name: string,
      parameters: readonly unknown[] = [],
      pipeline?: string,
    ) => {
      const tables = pipeline === undefined ? undefined : tablesOf?.(pipeline);
      const sql = fillTables(name, readQuery(name), tables);
      try {
        return (await client.query<Row>(sql, [...parameters])).rows;
      } catch (error) {
        throw new PostgresError(`the query ${name}`, error);
      }
    },
  });
  return {
    ...onClient(pool),
    async transaction(work) {
      const client = await pool.connect().catch((error) => {
        throw new PostgresError('connecting', error);
      });
      const control = (statement: string): Promise<unknown> =>
        client.query(statement).catch((error) => {
          throw new PostgresError(`the statement ${statement}`, error);
        });
      // A connection that breaks says so beside the query that fails with it; unheard, it would end the process.
      let broken: Error | undefined;
      const onError = (error: Error): void => {
        broken = error;
      };
      client.on('error', onError);
      try {
        await control('begin');
        const result = await work(onClient(client));
        await control('commit');
        return result;
      } catch (error) {
        // The connection may be what failed; then the server rolls back by itself.
        await control('rollback').catch(() => undefined);
        throw error;
      } finally {
        client.off('error', onError);
        client.release(broken);
      }
    },
    close: () => pool.end(),
  };
}

export function connectionOptions(options: PostgresOptions): pg.ClientConfig {
  return {
    host: options.host,
    port: options.port,
    database: options.database,
    user: options.user,
    password: options.password,
    connectionTimeoutMillis: 5_000,
    application_name: 'hourglass',
    // Who stops in the middle of a transaction must not hold its locks for ever.
    options: `-c timezone=UTC -c idle_in_transaction_session_timeout=60s${options.schema === undefined ? '' : ` -c search_path=${options.schema}`}`,
  };
}

const typeParser: pg.CustomTypesConfig['getTypeParser'] = ((oid: number, format?: 'text' | 'binary') =>
  oid === pg.types.builtins.INT8
    ? Number
    : pg.types.getTypeParser(oid, format as 'text')) as pg.CustomTypesConfig['getTypeParser'];
