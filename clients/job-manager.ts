/** How Flink's JobManager is asked: one request, and what no answer, a refusal and an unknown thing mean. */
import { errorText, FlinkRequestError, FlinkUnreachableError } from './flink-errors.ts';
import { requestJson } from './http-json.ts';

/** Less than an activity may be silent: a JobManager that hangs is told from a worker that died. */
const TIMEOUT_MS = 8_000;

/**
 * @param what the question in words, as it stands in an error: "describe job …"
 * @returns the answer's body, undefined when what was asked about is not known (404)
 */
export type AskJobManager = (
  method: 'GET' | 'POST' | 'PATCH',
  path: string,
  what: string,
  body?: unknown,
  signal?: AbortSignal,
) => Promise<unknown>;

/**
 * What is returned throws FlinkUnreachableError when nothing answers and FlinkRequestError when the answer is an error.
 * @param url for example http://127.0.0.1:8081
 */
export function askJobManager(url: string): AskJobManager {
  return async (method, path, what, body, signal) => {
    const answer = await requestJson(
      method,
      `${url}${path}`,
      body,
      (reason, cause) => new FlinkUnreachableError('Flink JobManager', url, reason, cause),
      { timeoutMs: TIMEOUT_MS, signal },
    );
    if (answer.status === 404) return undefined;
    if (answer.status >= 400) throw new FlinkRequestError(what, answer.status, errorText(answer.body));
    return answer.body;
  };
}
