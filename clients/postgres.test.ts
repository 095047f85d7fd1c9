import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { connectDatabase, connectionOptions, PostgresError } from './postgres.ts';

const failedWith = (code?: string) =>
  new PostgresError('the query q', Object.assign(new Error('no'), code === undefined ? {} : { code }));

describe('a failure of PostgreSQL', () => {
  test.each([
    ['57P01', 'the server is being shut down'],
    ['57P03', 'the server is starting up'],
    ['53300', 'there are too many connections'],
    ['53100', 'the disk is full'],
    ['08006', 'the connection was lost'],
    ['40001', 'a transaction could not be serialized'],
    ['40P01', 'a deadlock was broken'],
    ['55P03', 'a lock was not free'],
    ['ECONNREFUSED', 'nothing listens'],
    ['ECONNRESET', 'the connection was reset'],
    ['EPIPE', 'the connection was closed'],
    ['ETIMEDOUT', 'the connection timed out'],
    ['EHOSTUNREACH', 'there is no way to the host'],
    ['ENOTFOUND', 'the name is not known yet'],
    ['EAI_AGAIN', 'the name server is away'],
    ['25P03', 'a transaction was left alone for too long'],
    ['58030', 'a file could not be read'],
    ['XX000', 'the server has lost its memory'],
    ['ECONNABORTED', 'the connection was broken off'],
    ['ERR_SOCKET_CLOSED', 'the socket was closed meanwhile'],
    ['ERR_STREAM_DESTROYED', 'the stream was closed meanwhile'],
    [undefined, 'the connection broke without a code'],
  ])('%s may be gone at the next try: %s', (code, _meaning) => {
    expect(failedWith(code)).toMatchObject({ retryable: true, sqlState: code, code: 'POSTGRES' });
  });

  test.each([
    ['23505', 'a key is there already'],
    ['23502', 'a value is missing'],
    ['22P02', 'a text is no number'],
    ['42601', 'the SQL is wrong'],
    ['42P01', 'the table is not there'],
    ['42501', 'the role may not'],
    ['28P01', 'the password is wrong'],
    ['3D000', 'the database is not there'],
    ['57014', 'the query was cancelled'],
    ['25006', 'the transaction is read-only'],
    ['ENOENT', 'the query’s file is not there'],
  ])('%s stays until somebody changes something: %s', (code, _meaning) => {
    expect(failedWith(code)).toMatchObject({ retryable: false, sqlState: code });
  });

  test('says what was being done, and why it failed', () => {
    expect(failedWith('42P01').message).toBe('PostgreSQL failed at the query q: no.');
    const refused = new AggregateError([new Error('connect ECONNREFUSED 127.0.0.1:5432')]);
    expect(new PostgresError('connecting', refused).message).toBe(
      'PostgreSQL failed at connecting: connect ECONNREFUSED 127.0.0.1:5432.',
    );
  });
});

describe('a server that is not there', () => {
  async function closedPort(): Promise<number> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }

  test('fails a query and a transaction with an error that may be gone at the next try', async () => {
    const database = connectDatabase({
      ...{ host: '127.0.0.1', port: await closedPort(), database: 'd', user: 'u', password: 'the-secret' },
    });
    for (const asking of [
      database.query('flink-jobs'),
      database.transaction((queries) => queries.query('flink-jobs')),
    ]) {
      const error = await asking.catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(PostgresError);
      expect(error).toMatchObject({ retryable: true, sqlState: 'ECONNREFUSED' });
      expect((error as Error).message).not.toContain('the-secret');
    }
    await database.close();
  });
});

describe('the options of a connection', () => {
  const address = { host: 'h', port: 1, database: 'd', user: 'u', password: 'p' };

  test('put it into UTC, whatever the server’s zone is', () => {
    expect(connectionOptions(address).options).toMatch(/^-c timezone=UTC /);
  });

  test('name the schema when there is one', () => {
    expect(connectionOptions({ ...address, schema: 's1' }).options).toMatch(
      /^-c timezone=UTC .* -c search_path=s1$/,
    );
  });
});
