/** The pictures of the README and the docs, by their file in docs/pictures/: what each shows, and how it is taken from a running stack. */
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectTemporal } from '../../clients/temporal.ts';
import { flinkRestUrl, temporalAddress } from '../../config/addresses.ts';
import { terminalPage } from '../support/terminal-html.ts';
import type { Browser, Size } from './chromium.ts';
import type { RunningStack } from './running-stack.ts';

export type Take = (stack: RunningStack, browser: Browser) => Promise<Buffer>;

const WINDOW: Size = { width: 1280, height: 800 };
/** Temporal's pages show less in less. */
const WIDE_WINDOW: Size = { width: 1600, height: 900 };
/** Its head, and so many rows less two. */
const LINES = 16;

export const pictures: Readonly<Record<string, Take>> = {
  'flink-dashboard.png': (stack, browser) =>
    page(
      browser,
      `${flinkRestUrl(stack.config)}/#/overview`,
      "document.body.innerText.includes('weather-stream')",
    ),
  'flink-job.png': async (stack, browser) => {
    const { jobs } = (await (await fetch(`${flinkRestUrl(stack.config)}/jobs/overview`)).json()) as {
      jobs: { jid: string; state: string }[];
    };
    const jid = jobs.find(({ state }) => state === 'RUNNING')?.jid;
    const address = `${flinkRestUrl(stack.config)}/#/job/running/${jid}/overview`;
    // What each operator is busy with comes some seconds after the graph.
    return page(browser, address, '/Busy \\(max\\):\\s*\\d/.test(document.body.textContent)');
  },
  'temporal-ingest.png': (stack, browser) =>
    workflow(stack, browser, "WorkflowType='ingestWeather' and ExecutionStatus='Completed'", 'timeline'),
  'temporal-backfill.png': (stack, browser) =>
    workflow(stack, browser, "WorkflowType='backfill'", 'timeline'),
  'temporal-job-actor.png': (stack, browser) =>
    workflow(stack, browser, "WorkflowType='flinkJob'", 'user-metadata'),
  'completeness-broken.png': async (stack, browser) => {
    await judgeLastDay(stack);
    await breakSomeHours(stack);
    await judgeLastDay(stack);
    return map(stack, browser);
  },
  'sink-observations.png': (stack, browser) => saved(stack, browser, 'unnested-conditions'),
  'sink-hourly.png': (stack, browser) => saved(stack, browser, 'hourly-weather'),
};

/** What there must be before the first picture: the history of the first start is loaded, and the stream has stored rows. */
export async function waitForData(stack: RunningStack): Promise<void> {
  await stack.until(`select from backfills where status = 'completed'`);
  await stack.until(
    `select from weather_hourly where window_start = date_trunc('hour', now()) and origin = 'stream'`,
  );
}

/** @throws with the place of a picture of what was shown instead */
async function page(browser: Browser, url: string, shown: string, size = WINDOW): Promise<Buffer> {
  const opened = await browser.open(url, size);
  try {
    await opened.waitFor(shown);
    // Charts and timelines are drawn over some frames.
    await opened.evaluate('new Promise((resolve) => setTimeout(resolve, 1500))');
    return await opened.picture();
  } catch (error) {
    const place = join(tmpdir(), `not-shown-${Date.now()}.png`);
    writeFileSync(place, await opened.picture());
    throw new Error(`${(error as Error).message}\nWhat it showed: ${place}`);
  } finally {
    await opened.close();
  }
}

/** The first run that there was: of ingestion the one that polled every location. */
async function workflow(stack: RunningStack, browser: Browser, query: string, tab: string): Promise<Buffer> {
  const { TEMPORAL_NAMESPACE: namespace, TEMPORAL_UI_PORT: port } = stack.config.values;
  const client = await connectTemporal(temporalAddress(stack.config), namespace);
  try {
    const runs = [];
    for await (const { workflowId, runId } of client.workflow.list({ query }))
      runs.push({ workflowId, runId });
    const first = runs.at(-1);
    if (first === undefined) throw new Error(`no workflow: ${query}`);
    const path = `/namespaces/${namespace}/workflows/${encodeURIComponent(first.workflowId)}/${first.runId}/${tab}`;
    const url = `http://127.0.0.1:${port}${path}`;
    return await page(
      browser,
      url,
      `document.body.innerText.includes('Task Queue') && document.querySelectorAll('svg').length > 5`,
      WIDE_WINDOW,
    );
  } finally {
    await client.connection.close();
  }
}

function lastDay(): readonly string[] {
  const end = new Date(Math.floor(Date.now() / 3_600_000) * 3_600_000);
  const hour = (hoursBefore: number): string =>
    new Date(end.getTime() - hoursBefore * 3_600_000).toISOString().slice(0, 13);
  return ['--from', hour(24), '--to', hour(0)];
}

/** Judges and repairs nothing. That hours are flawed is what the picture is to show, and no failure. */
async function judgeLastDay(stack: RunningStack): Promise<void> {
  await stack
    .hourglass('completeness', 'check', ...lastDay(), '--no-repair', '--wait')
    .catch((error: Error) => {
      if (!/not good|flawed|not complete/i.test(error.message)) throw error;
    });
}

/** In some hours of some locations observations are lost, with the hour's row or without it, or the row gets a wrong figure. */
async function breakSomeHours({ sql }: RunningStack): Promise<void> {
  await sql(`
    create temporary table broken as
    select city_id, window_start, place % 3 as kind
    from weather_hourly
    join (select city_id, row_number() over (order by name) as place from locations) l using (city_id)
    where place % 5 = 2
      and place < 60
      and extract(epoch from date_trunc('hour', now()) - window_start) / 3600 in (4, 5, 6, 13, 14);
    delete from observations o using broken b
    where b.kind < 2 and o.city_id = b.city_id
      and o.observed_at >= b.window_start and o.observed_at < b.window_start + interval '1 hour';
    delete from weather_hourly h using broken b
    where b.kind = 0 and h.city_id = b.city_id and h.window_start = b.window_start;
    update weather_hourly h set temp_avg = h.temp_avg + 10, temp_max = h.temp_max + 10 from broken b
    where b.kind = 2 and h.city_id = b.city_id and h.window_start = b.window_start`);
}

async function map(stack: RunningStack, browser: Browser): Promise<Buffer> {
  const command = ['completeness', 'show', '--limit', '14'];
  return terminal(browser, `npx hourglass ${command.join(' ')}`, await stack.hourglass(...command));
}

/** As the terminal shows it: the first lines of what the command prints. */
async function saved(stack: RunningStack, browser: Browser, name: string): Promise<Buffer> {
  const command = ['sql', '--saved', name];
  const lines = (await stack.hourglass(...command)).split('\n').slice(0, LINES);
  return terminal(browser, `npx hourglass ${command.join(' ')} | head -${LINES}`, lines.join('\n'));
}

/** As wide and as high as the text. */
async function terminal(browser: Browser, command: string, printed: string): Promise<Buffer> {
  const url = `data:text/html;base64,${Buffer.from(terminalPage(command, printed)).toString('base64')}`;
  const measured = await browser.open(url, { width: 1_600, height: 200 });
  await measured.waitFor("document.querySelector('pre')");
  const [width, height] = await measured.evaluate<[number, number]>(
    "(({ width, height }) => [Math.ceil(width), Math.ceil(height)])(document.querySelector('pre').getBoundingClientRect())",
  );
  await measured.close();
  const opened = await browser.open(url, { width, height });
  await opened.waitFor("document.querySelector('pre')");
  const taken = await opened.picture();
  await opened.close();
  return taken;
}
