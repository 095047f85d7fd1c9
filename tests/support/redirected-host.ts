/**
 * Leads a client library that knows but one host to a server of the test, by taking the place of Node's own requests. A
 * request to any other host fails: no test of a client reaches the network.
 */
import http, { type ClientRequest, type RequestOptions } from 'node:http';
import https from 'node:https';

type Request = (...args: unknown[]) => ClientRequest;
type Module = Record<'get' | 'request', Request>;

/** From now on the host is a port of this machine. Returns what ends it. */
export function redirectHost(host: string, port: number): () => void {
  const { request, get } = http;
  const modules = [http, https] as unknown as Module[];
  const originals = modules.map((module) => ({ module, get: module.get, request: module.request }));
  for (const module of modules) {
    module.request = (...args) => request(...redirected(args, host, port));
    module.get = (...args) => get(...redirected(args, host, port));
  }
  return () => {
    for (const { module, ...own } of originals) Object.assign(module, own);
  };
}

type Arguments = [RequestOptions, ((response: http.IncomingMessage) => void) | undefined];

/** Node takes (url, options?, callback?) and (options, callback?). */
function redirected(args: readonly unknown[], host: string, port: number): Arguments {
  const [target] = args;
  const url = typeof target === 'string' ? new URL(target) : target instanceof URL ? target : undefined;
  const options = (url === undefined ? target : args.find((arg) => isOptions(arg))) as
    | RequestOptions
    | undefined;
  const asked = url?.hostname ?? options?.hostname ?? options?.host;
  if (asked !== host) throw new Error(`A client asked ${asked} instead of ${host}.`);
  const path = url === undefined ? options?.path : `${url.pathname}${url.search}`;
  const callback = args.find((arg) => typeof arg === 'function') as Arguments[1];
  const { method, headers } = options ?? {};
  return [
    { host: '127.0.0.1', port, path, ...(method && { method }), ...(headers && { headers }) },
    callback,
  ];
}

function isOptions(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !(value instanceof URL);
}
