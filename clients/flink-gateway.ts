/** The door to the SQL Gateway: runs statements in a session of their own, which is closed whatever happens. */
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { errorText, FlinkRequestError, FlinkStatementError, FlinkUnreachableError } from './flink-errors.ts';
import { requestJson } from './http-json.ts';

const sessionSchema = z.object({ sessionHandle: z.string() });
const operationSchema = z.object({ operationHandle: z.string() });
const resultSchema = z.object({
  resultType: z.enum(['NOT_READY', 'PAYLOAD', 'EOS']),
  jobID: z.string().nullish(),
  results: z.object({ data: z.array(z.object({ fields: z.array(z.unknown()) })) }).optional(),
  nextResultUri: z.string().nullish(),
});

export interface StatementResult {
  /** The Flink job the statement started, if it started one. */
  readonly jobId: string | undefined;
  readonly rows: readonly (readonly unknown[])[];
}

export interface FlinkGatewayClient {
  /**
   * Runs the statements one after the other and returns the last one's result. One session each time: what SET changes in
   * one submission never leaks into the next.
   * @param properties session properties, such as `table.exec.state.ttl`
   * @throws FlinkStatementError when a statement fails; FlinkUnreachableError when the gateway does not answer
   */
  execute(
    statements: readonly string[],
    properties: Readonly<Record<string, string>>,
  ): Promise<StatementResult>;
}

const POLL_MS = 100;
/** A statement is compiled before it is answered. */
const TIMEOUT_MS = 30_000;

/** @param url for example http://127.0.0.1:8083 */
export function createFlinkGatewayClient(url: string): FlinkGatewayClient {
  const ask = (method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown) =>
    requestJson(
      method,
      `${url}${path}`,
      body,
      (reason, cause) => new FlinkUnreachableError('Flink SQL Gateway', url, reason, cause),
      { timeoutMs: TIMEOUT_MS },
    );

  const run = async (session: string, statement: string): Promise<StatementResult> => {
    const submitted = await ask('POST', `/v3/sessions/${session}/statements`, { statement });
    if (submitted.status >= 400) throw new FlinkStatementError(statement, errorText(submitted.body));
    const { operationHandle } = operationSchema.parse(submitted.body);
    let path: string | undefined =
      `/v3/sessions/${session}/operations/${operationHandle}/result/0?rowFormat=JSON`;
    let jobId: string | undefined;
    const rows: unknown[][] = [];
    while (path !== undefined) {
      const answer = await ask('GET', path);
      if (answer.status >= 400) throw new FlinkStatementError(statement, errorText(answer.body));
      const result = resultSchema.parse(answer.body);
      jobId = result.jobID ?? jobId;
      rows.push(...(result.results?.data ?? []).map(({ fields }) => fields));
      if (result.resultType === 'NOT_READY') await delay(POLL_MS);
      path = result.resultType === 'EOS' ? undefined : (result.nextResultUri ?? undefined);
    }
    return { jobId, rows };
  };

  return {
    async execute(statements, properties) {
      const opened = await ask('POST', '/v3/sessions', { properties });
      if (opened.status >= 400)
        throw new FlinkRequestError('open a session', opened.status, errorText(opened.body));
      const { sessionHandle } = sessionSchema.parse(opened.body);
      try {
        let last: StatementResult = { jobId: undefined, rows: [] };
        for (const statement of statements) last = await run(sessionHandle, statement);
        return last;
      } finally {
        // A session that cannot be closed now is closed by the gateway when it has been idle for ten minutes.
        await ask('DELETE', `/v3/sessions/${sessionHandle}`).catch(() => undefined);
      }
    },
  };
}
