/**
 * Owns the admin of the mock: an HTTP server beside the API's for whoever tests against it, to set faults and to read what was
 * served. It speaks JSON, and every refusal is one sentence.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type Faults, FaultsError, parseFaults } from './faults.ts';
import type { FaultsInForce } from './faults-in-force.ts';
import type { KeyAccounts } from './key-accounts.ts';
import type { CallLog } from './served-log.ts';

export interface AdminState {
  readonly faults: FaultsInForce;
  readonly accounts: KeyAccounts;
  readonly calls: CallLog;
}

/** A refusal; its message is the answer. */
class AdminError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

interface AdminRequest {
  readonly query: URLSearchParams;
  readonly body: string;
}

type Handler = (request: AdminRequest, state: AdminState) => object;

const paths: Readonly<Record<string, Readonly<Record<string, Handler>>>> = {
  '/faults': {
    GET: (_, { faults }) => faults.current(),
    PUT: ({ body }, { faults }) => inForce(parseFaults(body), faults),
    DELETE: (_, { faults }) => inForce({}, faults),
  },
  '/served': { GET: servedPage },
  '/calls': { GET: (_, { accounts }) => ({ keys: accounts.all() }) },
};

/** Made, not listening: which address and port is the mock's to say. */
export function createAdminServer(state: AdminState): Server {
  return createServer((request, response) => {
    void answer(request, response, state);
  });
}

async function answer(request: IncomingMessage, response: ServerResponse, state: AdminState): Promise<void> {
  try {
    const [path = '/', search] = (request.url ?? '/').split('?', 2);
    const handler = handlerOf(path, request.method ?? 'GET');
    const body = await bodyOf(request);
    reply(response, 200, handler({ query: new URLSearchParams(search), body }, state));
  } catch (error) {
    const status = error instanceof AdminError ? error.status : error instanceof FaultsError ? 400 : 500;
    reply(response, status, { error: error instanceof Error ? error.message : String(error) });
  }
}

function reply(response: ServerResponse, status: number, value: object): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
  response.end(`${JSON.stringify(value)}\n`);
}

function handlerOf(path: string, method: string): Handler {
  const methods = Object.hasOwn(paths, path) ? paths[path] : undefined;
  if (methods === undefined)
    throw new AdminError(404, `The mock's admin has no ${path}: ask ${Object.keys(paths).join(', ')}.`);
  const handler = Object.hasOwn(methods, method) ? methods[method] : undefined;
  if (handler === undefined)
    throw new AdminError(405, `${path} takes ${Object.keys(methods).join(', ')}, not ${method}.`);
  return handler;
}

const longestBodyBytes = 1_000_000;

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length;
    if (bytes > longestBodyBytes)
      throw new AdminError(413, `The body is longer than ${longestBodyBytes} bytes: send fewer faults.`);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function inForce(next: Faults, faults: FaultsInForce): Faults {
  faults.replace(next);
  return next;
}

const pageSize = { usual: 1_000, most: 10_000 } as const;

/** A page of calls, and the `after` of the next one. */
function servedPage({ query }: AdminRequest, { calls }: AdminState): object {
  const after = wholeNumberOf(query, 'after', 0, Number.MAX_SAFE_INTEGER);
  const limit = wholeNumberOf(query, 'limit', pageSize.usual, pageSize.most);
  const page = calls.after(after, limit);
  return { calls: page, next: page.at(-1)?.sequence ?? after };
}

function wholeNumberOf(query: URLSearchParams, name: string, usual: number, most: number): number {
  const text = query.get(name);
  if (text === null) return usual;
  if (/^\d{1,16}$/.test(text) && Number(text) <= most) return Number(text);
  throw new AdminError(400, `${name} is ${JSON.stringify(text)}: expected a whole number from 0 to ${most}.`);
}
