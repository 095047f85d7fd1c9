/** Finds a Temporal server: `temporal` on PATH, the SDK's own download, or the official programs built with Go, in that order. */
import { existsSync } from 'node:fs';
import { readdir, rename, rmdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { reasonOf } from '../../domain/errors.ts';
import { PrerequisiteError } from '../errors.ts';
import { cached } from './cache.ts';
import { run, which } from './run.ts';

/** One version of the server however it is obtained; the command-line tool 1.9.1 brings server 1.32 and Web UI 2.54. */
export const PINNED = { cli: 'v1.9.1', server: 'v1.32.1', ui: 'v2.54.1', go: '1.26' } as const;

/** `version` is the server's. */
export type TemporalPrograms =
  | { readonly kind: 'cli'; readonly cli: string; readonly version: string; readonly how: string }
  | {
      readonly kind: 'server';
      readonly server: string;
      readonly ui: string;
      readonly version: string;
      readonly how: string;
    };

/**
 * @param minServerVersion the oldest server a `temporal` on PATH may bring
 * @throws PrerequisiteError naming what was tried, when none of the three ways works
 */
export async function provisionTemporal(
  cacheDir: string,
  minServerVersion: string,
  say: (sentence: string) => void,
): Promise<TemporalPrograms> {
  const onPath = await fromPath(minServerVersion);
  if (typeof onPath !== 'string') return onPath;
  // A server that Go built earlier is used before anything is asked of the network again.
  const builtEarlier = goEntry(cacheDir);
  if (existsSync(builtEarlier)) return builtPrograms(builtEarlier);
  const downloaded = await fromDownload(cacheDir);
  if (typeof downloaded !== 'string') return downloaded;
  const go = await goProblem();
  if (go !== undefined) {
    throw new PrerequisiteError(
      `Temporal could not be had: ${onPath}; ${downloaded}; ${go}.`,
      'Install the Temporal CLI (https://docs.temporal.io/cli), or Go from https://go.dev/dl, or set TEMPORAL_ADDRESS to a server of yours.',
    );
  }
  say(`${onPath}; ${downloaded}; building the official server with Go (about five minutes, once).`);
  return builtPrograms(await build(cacheDir));
}

export interface TemporalInspection {
  /** How a start gets it. */
  readonly how: string;
  /** `ready`: it is here; `to_come`: the start builds it; `unsure`: it rests on a download alone. */
  readonly standing: 'ready' | 'to_come' | 'unsure';
}

/** Looks, and downloads nothing. The arguments are those of `provisionTemporal`. */
export async function inspectTemporal(
  cacheDir: string,
  minServerVersion: string,
): Promise<TemporalInspection> {
  const onPath = await fromPath(minServerVersion);
  if (typeof onPath !== 'string') return { how: onPath.how, standing: 'ready' };
  const builtEarlier = goEntry(cacheDir);
  if (existsSync(builtEarlier)) return { how: builtPrograms(builtEarlier).how, standing: 'ready' };
  if (existsSync(downloadEntry(cacheDir)))
    return { how: `Temporal command-line tool ${PINNED.cli}, downloaded earlier`, standing: 'ready' };
  const go = await goProblem();
  return go === undefined
    ? {
        how: `${onPath}; the start downloads it, or builds it with Go (five minutes, once)`,
        standing: 'to_come',
      }
    : { how: `${onPath}; the start can only download it; ${go}`, standing: 'unsure' };
}

async function fromPath(minServerVersion: string): Promise<TemporalPrograms | string> {
  const cli = which('temporal');
  if (cli === undefined) return 'no `temporal` on PATH';
  const printed = await run(cli, ['--version']).catch(reasonOf);
  const server = /Server (\d+\.\d+\.\d+)/.exec(printed)?.[1];
  if (server === undefined) return `${cli} does not say which server it brings`;
  if (compareVersions(server, minServerVersion) < 0)
    return `${cli} brings server ${server}, older than ${minServerVersion}`;
  return { kind: 'cli', cli, version: server, how: `Temporal server ${server} from ${cli}` };
}

/** Server versions order by their three numbers; whatever follows them does not count. */
export function compareVersions(left: string, right: string): number {
  const numbers = (version: string): number[] => version.split('.').map(Number);
  const [a, b] = [numbers(left), numbers(right)];
  return a.map((value, index) => value - (b[index] ?? 0)).find((difference) => difference !== 0) ?? 0;
}

async function fromDownload(cacheDir: string): Promise<TemporalPrograms | string> {
  try {
    // Loaded here alone: the SDK's native core is large, and the other two ways do not need it.
    const { DefaultLogger, Runtime } = await import('@temporalio/worker');
    const { TestWorkflowEnvironment } = await import('@temporalio/testing');
    Runtime.install({ logger: new DefaultLogger('ERROR') });
    const entry = downloadEntry(cacheDir);
    const directory = await cached(cacheDir, basename(entry), async (target) => {
      const environment = await TestWorkflowEnvironment.createLocal({
        server: { executable: { type: 'cached-download', version: PINNED.cli, downloadDir: target } },
      });
      await environment.teardown();
      const [program] = await readdir(target);
      if (program === undefined) throw new Error('the download left no file');
      await rename(join(target, program), join(target, 'temporal'));
    });
    return {
      kind: 'cli',
      cli: join(directory, 'temporal'),
      version: PINNED.server.slice(1),
      how: `Temporal command-line tool ${PINNED.cli}, downloaded by its SDK`,
    };
  } catch (error) {
    return `the download of the Temporal SDK failed (${reasonOf(error).split('\n')[0]?.slice(0, 160)})`;
  }
}

async function goProblem(): Promise<string | undefined> {
  const go = which('go');
  if (go === undefined) return `Go ${PINNED.go} or later is not on PATH`;
  const version = /go(\d+\.\d+)/.exec(await run(go, ['version']).catch(reasonOf))?.[1];
  if (version === undefined || compareVersions(version, PINNED.go) < 0)
    return `Go ${version ?? 'of unknown version'} is older than ${PINNED.go}`;
  return undefined;
}

/** Where the download of the SDK is kept. */
const downloadEntry = (cacheDir: string): string => join(cacheDir, `temporal-cli-${PINNED.cli}`);

/** Where the programs that Go built are kept. */
export const goEntry = (cacheDir: string): string =>
  join(cacheDir, `temporal-${PINNED.server}-ui-${PINNED.ui}`);

const builtPrograms = (directory: string): TemporalPrograms => ({
  kind: 'server',
  server: join(directory, 'temporal-server'),
  ui: join(directory, 'temporal-ui'),
  version: PINNED.server.slice(1),
  how: `Temporal server ${PINNED.server} and Web UI ${PINNED.ui}, built from the official sources with Go`,
});

async function build(cacheDir: string): Promise<string> {
  const entry = goEntry(cacheDir);
  return cached(cacheDir, basename(entry), async (target) => {
    const programs = [
      { module: `go.temporal.io/server/cmd/server@${PINNED.server}`, name: 'temporal-server' },
      { module: `github.com/temporalio/ui-server/v2/cmd/server@${PINNED.ui}`, name: 'temporal-ui' },
    ];
    for (const { module, name } of programs) {
      // Both programs are called "server": each is built into a place of its own.
      const place = join(target, `${name}-build`);
      await run('go', ['install', module], { env: { GOBIN: place }, cwd: target });
      await rename(join(place, 'server'), join(target, name));
      await rmdir(place);
    }
  });
}
