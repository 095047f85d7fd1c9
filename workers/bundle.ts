/**
 * Builds a worker: the workflow bundle, the process with its activities in one file, its SQL, and the histories that its replay gate
 * tries, named by their content.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { build } from 'esbuild';

export interface BuildOptions {
  /** The directory of all builds; each stays until nothing runs on it any more. */
  readonly buildsDir: string;
  /** The module that exports the workflows; tests build changed ones. */
  readonly workflowsPath?: string;
}

export interface WorkerBuild {
  readonly buildId: string;
  readonly directory: string;
  /** What `node` is started with. */
  readonly main: string;
}

const root = fileURLToPath(new URL('..', import.meta.url));

const buildOf = (buildsDir: string, buildId: string): WorkerBuild => {
  const directory = join(buildsDir, buildId);
  return { buildId, directory, main: join(directory, 'workers/main.js') };
};

/** The same sources give the same build id, and a build that exists is not made again. */
export async function buildWorker({ buildsDir, workflowsPath }: BuildOptions): Promise<WorkerBuild> {
  await mkdir(buildsDir, { recursive: true });
  const partial = await mkdtemp(join(buildsDir, '.partial-'));
  try {
    await Promise.all([
      bundleWorkflows(partial, workflowsPath ?? join(root, 'workflows/index.ts')),
      bundleProcess(partial),
      copySql(partial),
      copyHistories(partial),
    ]);
    const buildId = await contentHash(partial);
    const made = buildOf(buildsDir, buildId);
    if (existsSync(made.directory)) return made;
    await writeFile(join(partial, 'build.json'), `${JSON.stringify({ buildId })}\n`);
    await writeFile(join(partial, 'package.json'), '{ "type": "module" }\n');
    // The SDK's native core cannot be put into a bundle: it is found where it is installed.
    await symlink(relative(made.directory, join(root, 'node_modules')), join(partial, 'node_modules'));
    await rename(partial, made.directory);
    return made;
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

async function bundleWorkflows(directory: string, workflowsPath: string): Promise<void> {
  const { code } = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('WARN') });
  await writeFile(join(directory, 'workflows.js'), code);
}

async function bundleProcess(directory: string): Promise<void> {
  await build({
    entryPoints: [join(root, 'workers/main.ts')],
    outfile: join(directory, 'workers/main.js'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    external: ['@temporalio/*', 'pg-native'],
    // CommonJS packages inside an ESM file still ask for `require`.
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
    logLevel: 'error',
  });
}

async function copySql(directory: string): Promise<void> {
  // Migrations are not applied by a worker: it asks whether they were.
  for (const part of ['flink', 'queries', 'migrations'])
    await cp(join(root, 'sql', part), join(directory, 'sql', part), { recursive: true });
}

/** What the gate says of a build depends on them. An installation without tests has none. */
async function copyHistories(directory: string): Promise<void> {
  const histories = join(root, 'tests/histories');
  if (existsSync(histories)) await cp(histories, join(directory, 'histories'), { recursive: true });
}

async function contentHash(directory: string): Promise<string> {
  const hash = createHash('sha256');
  const files = (await readdir(directory, { recursive: true, withFileTypes: true })).filter((entry) =>
    entry.isFile(),
  );
  for (const path of files.map((entry) => join(entry.parentPath, entry.name)).sort()) {
    hash
      .update(path.slice(directory.length))
      .update('\0')
      .update(await readFile(path))
      .update('\0');
  }
  return hash.digest('hex').slice(0, 16);
}
