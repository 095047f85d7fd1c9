/** Reads what containers are described by: the compose file, Dockerfiles, scripts and settings, as texts that a test may change. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { projectRoot } from '../../../config/load.ts';

export interface Mount {
  readonly type: 'bind' | 'volume';
  readonly source: string;
  readonly target: string;
  readonly read_only?: boolean;
}

export interface Service {
  readonly image?: string;
  readonly build?: { readonly context: string; readonly dockerfile?: string };
  readonly user?: string;
  readonly command?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly env_file?: readonly { readonly path: string; readonly required?: boolean }[];
  readonly ports?: readonly string[];
  readonly volumes?: readonly Mount[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly profiles?: readonly string[];
  readonly restart?: string;
  readonly init?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
}

export interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

/** By their path in the checkout. */
export type Texts = Readonly<Record<string, string>>;

export const COMPOSE = 'docker/compose.yaml';
/** What `docker compose` finds in the checkout: it includes the other, and has `.env` beside it. */
export const COMPOSE_OF_CHECKOUT = 'compose.yaml';

/** Everything under docker/, and what of the checkout it must agree with. */
export function readContainerFiles(): Texts {
  const beside = ['compose.yaml', 'example.env', 'package.json', 'stack/provision/jars.ts'];
  const stack = ['flink', 'kafka', 'postgres', 'temporal'].map((name) => `stack/${name}.ts`);
  return Object.fromEntries([...listed('docker'), ...beside, ...stack].map((path) => [path, textOf(path)]));
}

const textOf = (path: string): string => readFileSync(join(projectRoot, path), 'utf8');

function listed(folder: string): string[] {
  const command = ['ls-files', '--cached', '--others', '--exclude-standard', '--', folder];
  return execFileSync('git', command, { cwd: projectRoot, encoding: 'utf8' }).trim().split('\n');
}

export const composeOf = (texts: Texts): Compose => parse(fileOf(texts, COMPOSE), { merge: true }) as Compose;

/** @throws when there is no such file: a check that reads nothing would find nothing */
export function fileOf(texts: Texts, path: string): string {
  const text = texts[path];
  if (text === undefined) throw new Error(`there is no ${path}`);
  return text;
}

/** What of its Dockerfile a service is built from, by its path in the checkout; undefined for an image of somebody else's. */
export function dockerfileOf({ build }: Service): string | undefined {
  if (build === undefined) return undefined;
  return build.context === '..' ? build.dockerfile : `docker/${build.context}/Dockerfile`;
}
