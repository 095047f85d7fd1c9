/** The dependency direction of docs/architecture.md, held here and by the linter. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { describe, expect, test } from 'vitest';
import { projectRoot } from '../config/load.ts';

const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: projectRoot,
  encoding: 'utf8',
})
  .trim()
  .split('\n');
const sources = files.filter(
  (file) =>
    file.endsWith('.ts') && !file.endsWith('.test.ts') && !file.startsWith('tests/') && file.includes('/'),
);

/** What a folder may import besides itself. A folder that is missing here fails the test. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  schemas: [],
  domain: ['schemas'],
  config: ['domain'],
  clients: ['schemas', 'domain'],
  pipelines: ['schemas', 'domain', 'clients'],
  activities: ['schemas', 'domain', 'clients'],
  workflows: ['schemas', 'domain'],
  workers: ['schemas', 'domain', 'config', 'clients', 'pipelines', 'activities'],
  mock: ['schemas'],
  stack: ['schemas', 'domain', 'config', 'clients', 'pipelines'],
  cli: ['schemas', 'domain', 'config', 'clients', 'pipelines', 'stack', 'mock', 'workers'],
  bench: ['schemas', 'domain', 'config', 'clients', 'pipelines', 'stack', 'mock'],
};

interface Import {
  readonly file: string;
  readonly folder: string;
  readonly target: string;
  readonly typeOnly: boolean;
}

const imports: readonly Import[] = sources.flatMap((file) => {
  const text = readFileSync(join(projectRoot, file), 'utf8');
  return [...text.matchAll(/^(?:import|export) (type )?[^;]*?from '(\.[^']+)'|import\('(\.[^']+)'\)/gm)].map(
    (match) => ({
      file,
      folder: file.split('/')[0] ?? '',
      target: normalize(join(dirname(file), match[2] ?? match[3] ?? '')).split('/')[0] ?? '',
      typeOnly: match[1] !== undefined,
    }),
  );
});

describe('the architecture', () => {
  test('imports follow the dependency direction', () => {
    expect(imports.length).toBeGreaterThan(100);
    const wrong = imports.filter(({ folder, target, typeOnly }) => {
      if (target === folder || mayImport[folder]?.includes(target)) return false;
      return !(folder === 'workflows' && target === 'activities' && typeOnly);
    });
    expect(wrong).toEqual([]);
  });

  test('the environment of the process is read in config/ alone', () => {
    const readers = sources.filter((file) =>
      readFileSync(join(projectRoot, file), 'utf8').includes('process.env'),
    );
    expect(readers.filter((file) => !file.startsWith('config/'))).toEqual([]);
  });

  test('the workflow bundle builds, and holds nothing of the doors', async () => {
    const { code } = await bundleWorkflowCode({
      workflowsPath: join(projectRoot, 'workflows/index.ts'),
      logger: new DefaultLogger('ERROR'),
    });
    expect(code).toContain('ingestWeather');
    for (const door of ['kafkajs', 'node-postgres', 'createFlinkGatewayClient'])
      expect(code).not.toContain(door);
  });

  test('the control plane knows pipelines, neither weather nor air', () => {
    const own = sources.filter(
      (file) => /^(workflows|activities)\//.test(file) && !/\/ingest-weather\.ts$|\/index\.ts$/.test(file),
    );
    const found = own.filter((file) =>
      /weather|\bcity|\bcities|temperature|humidity|pollution|\bair\b|\baqi\b|ozone/i.test(
        readFileSync(join(projectRoot, file), 'utf8'),
      ),
    );
    expect(found).toEqual([]);
  });

  test('there is no Java to write', () => {
    expect(files.filter((file) => file.endsWith('.java'))).toEqual([]);
  });

  test('no address of a package registry is written down', () => {
    const hosts = /registry\.npmjs|repo\d*\.maven|maven\.org|proxy\.golang|sum\.golang|deb\.debian|pypi\.org/;
    expect(
      files.filter(
        (file) =>
          !file.endsWith('architecture.test.ts') && hosts.test(readFileSync(join(projectRoot, file), 'utf8')),
      ),
    ).toEqual([]);
  });
});
