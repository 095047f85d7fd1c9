/** Owns the way of a call through the mock: key, limit, fault, route, answer, memory. Each of them is a file of its own. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Fault } from './faults.ts';
import type { FaultsInForce } from './faults-in-force.ts';
import { deliver, replyInstead } from './faults-on-the-wire.ts';
import type { KeyAccount, KeyAccounts } from './key-accounts.ts';
import { keyRefusal, tooManyCallsReply } from './keys.ts';
import { internalErrorReply, type MockReply, unknownPathReply } from './replies.ts';
import type { MockWorld } from './route.ts';
import { type MockRoute, routes } from './routes.ts';
import type { CallLog } from './served-log.ts';

export interface MockState {
  readonly world: MockWorld;
  readonly accounts: KeyAccounts;
  readonly faults: FaultsInForce;
  readonly calls: CallLog;
}

export interface ArrivedCall {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** One reading of the clock for the whole call. */
  readonly atMs: number;
}

interface Question {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** Empty when there is none. */
  readonly key: string;
  readonly atMs: number;
}

interface Outcome {
  readonly reply: MockReply;
  readonly cityId?: number | undefined;
  readonly fault?: Fault | undefined;
}

export function answerCall({ request, response, atMs }: ArrivedCall, state: MockState): void {
  const question = questionOf(request, atMs);
  const { method, path, key } = question;
  const account = key === '' ? undefined : state.accounts.of(key);
  account?.arrive(atMs);
  const { reply, cityId, fault } = outcomeOf(question, account, state);
  response.once('close', () => {
    const status = response.headersSent ? response.statusCode : null;
    state.calls.append({
      arrivedAtMs: atMs,
      key: account?.fingerprint ?? null,
      method,
      path,
      cityId: cityId ?? null,
      dt: status === null ? null : (reply.dt ?? null),
      status,
      fault: fault?.kind ?? null,
      inFull: response.writableFinished && method !== 'HEAD',
    });
  });
  deliver(response, reply, fault);
}

function questionOf({ method = 'GET', url = '/' }: IncomingMessage, atMs: number): Question {
  // Not through URL, which throws for targets such as "//": whatever a client sends gets an answer.
  const [target = '/', ...search] = url.split('?');
  const query = new URLSearchParams(search.join('?'));
  const key = query.get('appid') ?? query.get('APPID') ?? '';
  return { method, path: knownPath(target), query, key, atMs };
}

const longestPathKept = 100;

/** The API takes a path with a slash behind it too. What it does not know is cut: the memory of calls is bounded in bytes as well. */
function knownPath(target: string): string {
  const path = target.length > 1 && target.endsWith('/') ? target.slice(0, -1) : target;
  return routes.has(path) ? path : target.slice(0, longestPathKept);
}

/** The API reads a POST as it reads a GET. */
const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST']);

const methodNotAllowedReply: MockReply = {
  status: 405,
  body: '{"cod":"405","message":"Method not allowed"}',
};

function outcomeOf(question: Question, account: KeyAccount | undefined, state: MockState): Outcome {
  const { method, path, query, key, atMs } = question;
  if (!methods.has(method)) return { reply: methodNotAllowedReply };
  const route = routes.get(path);
  if (route === undefined) return { reply: unknownPathReply };
  const refusal = keyRefusal(key, route.needs);
  if (refusal !== undefined) return { reply: refusal };
  if (account?.admit(atMs) === false) return { reply: tooManyCallsReply };
  try {
    const search = state.world.searchCity(query);
    const cityId = 'city' in search ? search.city.id : undefined;
    const fault = state.faults.next({ cityId, path, atMs });
    const instead = replyInstead(fault);
    return instead === undefined
      ? { cityId, ...routed(route, question, fault, state) }
      : { cityId, fault, reply: instead };
  } catch (error) {
    // A fault of the mock's own: its words reach whoever looks at the client's error.
    return { reply: internalErrorReply(String(error)) };
  }
}

/** A fault that the answer gives no room for is none: nothing is older where no observation is told, nor cut where nothing is sent. */
function routed(
  { answer }: MockRoute,
  { query, method, atMs }: Question,
  fault: Fault | undefined,
  { world }: MockState,
): Outcome {
  const reply = answer({ query, nowMs: atMs }, world);
  if (fault?.kind === 'truncated' && method === 'HEAD') return { reply };
  if (fault?.kind !== 'stale') return { reply, fault };
  if (reply.dt === undefined) return { reply };
  // In the middle of its step an observation is the newest, whatever it lagged behind.
  const thenMs = (reply.dt - (fault.stepsBack - 0.5) * world.stepSeconds) * 1000;
  return { reply: answer({ query, nowMs: thenMs }, world), fault };
}
