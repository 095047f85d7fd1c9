/** A source's history that lacks some hours, or refuses some locations: what stands between a worker and the mock's own. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { windowKey } from './day-of-gaps.ts';

export interface PartialHistory {
  readonly url: string;
  close(): Promise<void>;
}

interface Row {
  readonly dt: number;
}

/** @param exceptions by `<city id>/<hour in Unix seconds>`; every range is refused that holds a part of a refused hour */
export async function servePartialHistory(
  mockUrl: string,
  exceptions: ReadonlyMap<string, 'nothing' | 'refusal'>,
): Promise<PartialHistory> {
  const isRefused = (cityId: number, start: number, end: number): boolean =>
    [...exceptions].some(([key, answer]) => {
      const [id, hour = 0] = key.split('/').map(Number);
      return answer === 'refusal' && id === cityId && hour <= end && hour + 3_600 > start;
    });
  const server = createServer(async (request, response) => {
    const asked = new URL(request.url ?? '/', mockUrl);
    const cityId = Number(asked.searchParams.get('id'));
    const [start, end] = ['start', 'end'].map((name) => Number(asked.searchParams.get(name)));
    if (isRefused(cityId, start ?? 0, end ?? 0)) {
      response.writeHead(404, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ cod: '404', message: 'city not found' }));
      return;
    }
    const answer = await fetch(asked);
    const text = await answer.text();
    response.writeHead(answer.status, { 'content-type': 'application/json' });
    if (answer.status !== 200) return void response.end(text);
    const body = JSON.parse(text) as { list: Row[] };
    const list = body.list.filter(({ dt }) => exceptions.get(windowKey(cityId, dt)) !== 'nothing');
    response.end(JSON.stringify({ ...body, cnt: list.length, list }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
