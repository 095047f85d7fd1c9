/** A headless Chromium over its DevTools protocol, through a pipe: opens pages, waits for what they show, and takes their pictures. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { which } from '../../stack/provision/run.ts';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];
const WAIT_MS = 60_000;

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Page {
  /** Resolves when the expression, evaluated in the page, is truthy; asks again until then. @throws after a minute */
  waitFor(expression: string): Promise<void>;
  evaluate<T>(expression: string): Promise<T>;
  /** A PNG of what the window shows. */
  picture(): Promise<Buffer>;
  close(): Promise<void>;
}

export interface Browser {
  open(url: string, size: Size): Promise<Page>;
  close(): Promise<void>;
}

interface Answer {
  readonly result?: Record<string, unknown>;
  readonly error?: object;
}

type Send = (method: string, parameters?: object, sessionId?: string) => Promise<Record<string, unknown>>;

/** @throws when there is none, with the line that installs it */
export async function startChromium(): Promise<Browser> {
  const program = NAMES.map(which).find((found) => found !== undefined);
  if (program === undefined)
    throw new Error(`none of ${NAMES.join(', ')} is on PATH: sudo apt-get install -y chromium`);
  const profile = mkdtempSync(join(tmpdir(), 'hourglass-chromium-'));
  const child = spawn(
    program,
    [
      ...['--headless=new', '--no-sandbox', '--disable-gpu', '--hide-scrollbars', '--no-first-run'],
      ...['--remote-debugging-pipe', `--user-data-dir=${profile}`, '--force-color-profile=srgb', '--lang=en'],
    ],
    {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
      env: { ...process.env, TZ: 'UTC', LANG: 'C.UTF-8' },
    },
  );
  const send = protocolOf(child);
  return {
    open: (url, size) => openPage(send, url, size),
    async close() {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      await Promise.race([send('Browser.close').catch(() => undefined), ended]);
      await Promise.race([ended, delay(5_000, undefined, { ref: false }).then(() => child.kill('SIGKILL'))]);
      rmSync(profile, { recursive: true, force: true });
    },
  };
}

/** Messages are JSON, each ended by a NUL; an answer carries the number of its question. */
function protocolOf(child: ChildProcess): Send {
  const [input, output] = [child.stdio[3] as Writable, child.stdio[4] as Readable];
  const waiting = new Map<number, (answer: Answer) => void>();
  let last = 0;
  let rest = '';
  output.setEncoding('utf8').on('data', (piece: string) => {
    const messages = `${rest}${piece}`.split('\0');
    rest = messages.pop() ?? '';
    for (const text of messages) {
      const message = JSON.parse(text) as Answer & { readonly id?: number };
      if (message.id === undefined) continue;
      waiting.get(message.id)?.(message);
      waiting.delete(message.id);
    }
  });
  child.once('exit', () => {
    for (const answer of waiting.values()) answer({ error: { message: 'Chromium ended' } });
  });
  return (method, params = {}, sessionId) =>
    new Promise((resolve, reject) => {
      last += 1;
      waiting.set(last, ({ result, error }) => {
        if (error === undefined) resolve(result ?? {});
        else reject(new Error(`${method}: ${JSON.stringify(error)}`));
      });
      input.write(`${JSON.stringify({ id: last, method, params, ...(sessionId && { sessionId }) })}\0`);
    });
}

async function openPage(send: Send, url: string, { width, height }: Size): Promise<Page> {
  const { targetId } = await send('Target.createTarget', { url: 'about:blank' });
  const { sessionId } = await send('Target.attachToTarget', { targetId, flatten: true });
  const inPage: Send = (method, parameters) => send(method, parameters, sessionId as string);
  const metrics = { width, height, deviceScaleFactor: 1, mobile: false };
  await inPage('Emulation.setDeviceMetricsOverride', metrics);
  await inPage('Page.enable');
  await inPage('Page.navigate', { url });
  const evaluate = async <T>(expression: string): Promise<T> => {
    const { result } = await inPage('Runtime.evaluate', {
      expression,
      returnByValue: true,
      awaitPromise: true,
    });
    return (result as { value: T }).value;
  };
  return {
    evaluate,
    async waitFor(expression) {
      const deadline = Date.now() + WAIT_MS;
      // While a page is being replaced by another there is nothing to evaluate in.
      while (!(await evaluate<boolean>(`Boolean(${expression})`).catch(() => false))) {
        if (Date.now() > deadline)
          throw new Error(
            `${url} never came to ${expression}; it says: ${(await evaluate<string>('document.body.innerText')).slice(0, 400)}`,
          );
        await delay(100);
      }
    },
    async picture() {
      const { data } = await inPage('Page.captureScreenshot', { format: 'png' });
      return Buffer.from(data as string, 'base64');
    },
    close: async () => void (await send('Target.closeTarget', { targetId })),
  };
}
