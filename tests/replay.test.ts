/** The workflows as they are now replay what they did when the histories were recorded (`npm run histories:record`). */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { beforeAll, describe, expect, test } from 'vitest';
import { projectRoot } from '../config/load.ts';
import * as workflows from '../workflows/index.ts';
import { historyFromJson } from './support/histories.ts';

const directory = join(projectRoot, 'tests/histories');
const files = readdirSync(directory).filter((name) => name.endsWith('.json'));
const historyOf = (file: string) => historyFromJson(readFileSync(join(directory, file), 'utf8'));
const bundle = (path: string) =>
  bundleWorkflowCode({ workflowsPath: join(projectRoot, path), logger: new DefaultLogger('ERROR') });

let present: Awaited<ReturnType<typeof bundle>>;

beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  present = await bundle('workflows/index.ts');
}, 120_000);

/** Under its own id: what a workflow names after itself has the same name again. */
const replay = (file: string, workflowBundle = present): Promise<void> => {
  const history = historyOf(file);
  const { workflowId } = history.events?.[0]?.workflowExecutionStartedEventAttributes ?? {};
  return Worker.runReplayHistory({ workflowBundle, replayName: file }, history, workflowId ?? file);
};

describe('recorded histories', () => {
  test('there is one of every workflow type', () => {
    const recorded = new Set(files.map((file) => file.split('.')[0]));
    const types = Object.entries(workflows).flatMap(([name, exported]) =>
      typeof exported === 'function' ? [name] : [],
    );
    expect([...recorded].sort()).toEqual(types.sort());
  });

  test.each(files)(
    '%s is replayed',
    async (file) => {
      await replay(file);
    },
    60_000,
  );

  test('a workflow that does something else is noticed', async () => {
    const changed = await bundle('tests/support/changed-workflows.ts');
    await expect(replay('ingestWeather.completed.json', changed)).rejects.toThrow(/[Nn]ondeterminism/);
  }, 120_000);
});
