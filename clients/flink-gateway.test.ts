import { describe, expect, test } from 'vitest';
import { type Answer, type JsonServer, serveJson } from '../tests/support/json-server.ts';
import { FlinkRequestError, FlinkStatementError, FlinkUnreachableError } from './flink-errors.ts';
import { createFlinkGatewayClient } from './flink-gateway.ts';

const page = (operation: number, token: number): string =>
  `/v3/sessions/s1/operations/o${operation}/result/${token}?rowFormat=JSON`;

const eos = { body: { resultType: 'EOS', results: { columns: [], data: [] } } };

/**
 * A gateway with one session `s1` and the operations `o0`, `o1`, … in the order of the statements; the answer to
 * `GET …/result/<token>` is the next one of `pages` for that operation.
 */
async function gatewayServer(pages: readonly (readonly Answer[])[], over: Record<string, Answer> = {}) {
  let statements = 0;
  const given = new Map<number, number>();
  const server = await serveJson(({ method, path }) => {
    const overridden = over[`${method} ${path}`];
    if (overridden !== undefined) return overridden;
    if (method === 'POST' && path === '/v3/sessions') return { body: { sessionHandle: 's1' } };
    if (method === 'DELETE') return { body: { status: 'CLOSED' } };
    if (method === 'POST') {
      statements += 1;
      return { body: { operationHandle: `o${statements - 1}` } };
    }
    const operation = Number(/operations\/o(\d+)\//.exec(path)?.[1]);
    const index = given.get(operation) ?? 0;
    given.set(operation, index + 1);
    return pages[operation]?.[index];
  });
  return { server, gateway: createFlinkGatewayClient(server.url) };
}

const lastRequest = ({ requests }: JsonServer): string | undefined => requests().at(-1);

describe('running statements', () => {
  test('each runs in its order in one session, which has the properties and is closed at the end', async () => {
    const { server, gateway } = await gatewayServer([[eos], [eos]]);
    await gateway.execute(['CREATE TABLE a (x INT)', 'CREATE VIEW b AS SELECT 1'], {
      'pipeline.name': 'weather',
    });
    expect(server.requests()).toEqual([
      'POST /v3/sessions',
      'POST /v3/sessions/s1/statements',
      `GET ${page(0, 0)}`,
      'POST /v3/sessions/s1/statements',
      `GET ${page(1, 0)}`,
      'DELETE /v3/sessions/s1',
    ]);
    expect(server.asked[0]?.body).toEqual({ properties: { 'pipeline.name': 'weather' } });
    expect(server.asked[1]?.body).toEqual({ statement: 'CREATE TABLE a (x INT)' });
  });

  test('pages are asked for until the end of the stream, also through those that are not ready', async () => {
    const payload = (values: unknown[], token: number, jobID?: string): Answer => ({
      body: {
        resultType: 'PAYLOAD',
        ...(jobID === undefined ? {} : { jobID }),
        results: { data: values.map((value) => ({ kind: 'INSERT', fields: [value] })) },
        nextResultUri: page(0, token),
      },
    });
    const { server, gateway } = await gatewayServer([
      [
        { body: { resultType: 'NOT_READY', nextResultUri: page(0, 0) } },
        payload([1, 2], 1, 'ab12'),
        payload([], 2),
        payload([3], 3),
        eos,
      ],
    ]);
    expect(await gateway.execute(['SELECT x FROM a'], {})).toEqual({ jobId: 'ab12', rows: [[1], [2], [3]] });
    expect(server.requests().filter((request) => request.startsWith('GET'))).toEqual(
      [0, 0, 1, 2, 3].map((token) => `GET ${page(0, token)}`),
    );
  });

  test('the result is that of the last statement alone', async () => {
    const row = (value: string): Answer => ({
      body: { resultType: 'EOS', jobID: value, results: { data: [{ kind: 'INSERT', fields: [value] }] } },
    });
    const { gateway } = await gatewayServer([[row('first')], [row('last')]]);
    expect(await gateway.execute(['SELECT 1', 'SELECT 2'], {})).toEqual({ jobId: 'last', rows: [['last']] });
  });

  test('a statement that starts no job has none', async () => {
    const { gateway } = await gatewayServer([[eos]]);
    expect(await gateway.execute(['SHOW TABLES'], {})).toEqual({ jobId: undefined, rows: [] });
  });
});

describe('a failure', () => {
  const refusal: Answer = {
    status: 500,
    body: { errors: ['Internal server error.', "Caused by: a.b.ValidationException: Object 'a' not found"] },
  };

  test('of a statement’s result is told with its root cause; no other statement runs, and the session is closed', async () => {
    const { server, gateway } = await gatewayServer([[refusal], [eos]]);
    const executing = gateway.execute(['SELECT * FROM a', 'SELECT 2'], {});
    await expect(executing).rejects.toThrow(FlinkStatementError);
    await expect(executing).rejects.toThrow(
      `Flink refused "SELECT * FROM a": ValidationException: Object 'a' not found`,
    );
    expect(server.asked.filter(({ path }) => path.endsWith('/statements'))).toHaveLength(1);
    expect(lastRequest(server)).toBe('DELETE /v3/sessions/s1');
  });

  test('of a statement’s submission closes the session too', async () => {
    const { server, gateway } = await gatewayServer([], { 'POST /v3/sessions/s1/statements': refusal });
    await expect(gateway.execute(['SELECT 1'], {})).rejects.toThrow(FlinkStatementError);
    expect(lastRequest(server)).toBe('DELETE /v3/sessions/s1');
  });

  test('of an answer that is not understood closes the session too', async () => {
    const { server, gateway } = await gatewayServer([[{ body: { resultType: 'SOMETHING_NEW' } }]]);
    await expect(gateway.execute(['SELECT 1'], {})).rejects.toThrow('resultType');
    expect(lastRequest(server)).toBe('DELETE /v3/sessions/s1');
  });

  test('of the closing alone changes nothing: the gateway closes idle sessions itself', async () => {
    const { gateway } = await gatewayServer([[eos]], { 'DELETE /v3/sessions/s1': { status: 500 } });
    await expect(gateway.execute(['SELECT 1'], {})).resolves.toMatchObject({ rows: [] });
  });

  test('of the opening may be gone at the next try', async () => {
    const { gateway } = await gatewayServer([], { 'POST /v3/sessions': refusal });
    const executing = gateway.execute(['SELECT 1'], {});
    await expect(executing).rejects.toThrow(FlinkRequestError);
    await expect(executing).rejects.toMatchObject({ retryable: true, status: 500 });
  });

  test('a gateway that does not answer is told from one that refuses', async () => {
    const { server, gateway } = await gatewayServer([]);
    await server.close();
    const executing = gateway.execute(['SELECT 1'], {});
    await expect(executing).rejects.toThrow(FlinkUnreachableError);
    await expect(executing).rejects.toThrow(`The Flink SQL Gateway at ${server.url} does not answer`);
  });
});
