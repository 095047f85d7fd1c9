/** Owns how an answer goes to the client: whole, or as the fault of the call has it. */
import type { ServerResponse } from 'node:http';
import type { Fault } from './faults.ts';
import { tooManyCallsReply } from './keys.ts';
import type { MockReply } from './replies.ts';

/** What an answer looks like in place of the true one. */
const serverErrorReply: MockReply = {
  status: 500,
  body: '{"cod":"500","message":"Internal server error"}',
};

const page = (heading: string): string =>
  `<html>\r\n<head><title>${heading}</title></head>\r\n<body>\r\n<center><h1>${heading}</h1></center>\r\n<hr><center>openresty</center>\r\n</body>\r\n</html>\r\n`;

const gatewayPageReply: MockReply = { status: 502, body: page('502 Bad Gateway'), contentType: 'text/html' };
const htmlPageReply: MockReply = { status: 200, body: page('Site maintenance'), contentType: 'text/html' };

/** An outage has the effect of another kind, or is silent. */
const effectOf = (fault: Fault | undefined) => (fault?.kind === 'outage' ? fault.answer : fault?.kind);

/** The answer that a fault puts in place of the true one; undefined when the true one is asked for. */
export function replyInstead(fault: Fault | undefined): MockReply | undefined {
  switch (effectOf(fault)) {
    case 'rateLimit':
      return tooManyCallsReply;
    case 'serverError':
      return serverErrorReply;
    case 'gatewayPage':
      return gatewayPageReply;
    case 'htmlPage':
      return htmlPageReply;
    default:
      return undefined;
  }
}

/** Sends the reply, or what the fault leaves of it. Never throws for a client that is gone. */
export function deliver(response: ServerResponse, reply: MockReply, fault: Fault | undefined): void {
  if (fault?.kind === 'latency') {
    sendLater(response, reply, fault.ms);
    return;
  }
  switch (effectOf(fault)) {
    case 'silence':
      // Held until the client gives up or the mock ends.
      return;
    case 'reset':
      response.req.socket.resetAndDestroy();
      return;
    case 'truncated':
      sendHalf(response, reply);
      return;
    case 'wrongContentType':
      send(response, { ...reply, contentType: 'text/html; charset=utf-8' });
      return;
    default:
      send(response, reply);
  }
}

/** Answered as the API does, which lets pages of any site ask it. */
function begin(response: ServerResponse, { status, contentType }: MockReply, length: number): void {
  response.writeHead(status, {
    'content-type': contentType ?? 'application/json; charset=utf-8',
    'content-length': length,
    'access-control-allow-origin': '*',
    'access-control-allow-methods': 'GET, POST',
    ...(status === 405 && { allow: 'GET, HEAD, POST' }),
  });
}

function send(response: ServerResponse, reply: MockReply): void {
  begin(response, reply, Buffer.byteLength(reply.body));
  response.end(reply.body);
}

/** Promises the whole, sends half, and cuts the connection once that half has left. */
function sendHalf(response: ServerResponse, reply: MockReply): void {
  const body = Buffer.from(reply.body);
  begin(response, reply, body.length);
  response.write(body.subarray(0, Math.floor(body.length / 2)), () => response.req.socket.destroy());
}

function sendLater(response: ServerResponse, reply: MockReply, ms: number): void {
  const timer = setTimeout(() => send(response, reply), ms);
  response.once('close', () => clearTimeout(timer));
}
