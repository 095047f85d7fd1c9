/** The PostgreSQL server of the native stack: makes its data directory once, and runs as another user when we are root. */
import { createHash } from 'node:crypto';
import { existsSync, rmSync, statSync } from 'node:fs';
import { appendFile, chown, copyFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Client } from 'pg';
import { connectionOptions, type PostgresOptions } from '../clients/postgres.ts';
import { projectRoot } from '../config/load.ts';
import { LOOPBACK, type StackContext, type StackPorts } from './context.ts';
import { run, which } from './provision/run.ts';
import type { ServiceSpec } from './supervisor.ts';

interface SystemUser {
  readonly uid: number;
  readonly gid: number;
}

const SUPERUSER = 'postgres';

/** A server whose superuser's password is known: the native one, or the one of a container. */
export interface OwnServer extends Pick<StackContext, 'secrets'> {
  /** Loopback unless told. */
  readonly host?: string;
  readonly ports: Pick<StackPorts, 'postgres'>;
}

/** The server as its superuser, who makes the roles and the database and is used for nothing else. */
export function superuserAddress({ host = LOOPBACK, ports, secrets }: OwnServer): PostgresOptions {
  return {
    host,
    port: ports.postgres,
    database: 'postgres',
    user: SUPERUSER,
    password: secrets.POSTGRES_SUPERUSER_PASSWORD,
  };
}

/** @param say receives a sentence when the data cannot live under the data directory */
export async function postgresService(
  context: StackContext,
  say: (sentence: string) => void,
): Promise<ServiceSpec> {
  const { parts, ports, secrets, logDir } = context;
  const user = process.getuid?.() === 0 ? await unprivilegedUser() : undefined;
  const data = dataDirectory(context.dataDir, user, say);
  await initialise(data, parts.postgres, secrets.POSTGRES_SUPERUSER_PASSWORD, user);
  const settings = join(data, 'hourglass.conf');
  await copyFile(join(projectRoot, 'docker/postgres/hourglass.conf'), settings);
  if (user !== undefined) await chown(settings, user.uid, user.gid);
  return {
    name: 'postgres',
    command: join(parts.postgres, 'bin/postgres'),
    args: [
      '-D',
      data,
      '-p',
      String(ports.postgres),
      '-c',
      `listen_addresses=${LOOPBACK}`,
      '-c',
      'unix_socket_directories=',
    ],
    ...user,
    // The database's directory is its own, and the checkout may be closed to the user it runs as.
    cwd: data,
    logFile: join(logDir, 'postgres.log'),
    prepare: () => removeEmptyLock(data),
    stopSignal: 'SIGINT',
    stopTimeoutMs: 30_000,
    ready: async () => {
      const client = new Client({
        ...connectionOptions(superuserAddress(context)),
        connectionTimeoutMillis: 2_000,
      });
      await client.connect();
      await client.end();
    },
  };
}

/** A server that was killed while it wrote its lock file leaves an empty one, at which every later start would refuse. */
function removeEmptyLock(data: string): void {
  const lock = join(data, 'postmaster.pid');
  if (statSync(lock, { throwIfNoEntry: false })?.size === 0) rmSync(lock);
}

/** How texts are ordered and kept, whatever the machine's locale is; passwords are asked for by the image of PostgreSQL anyway. */
export const INITDB_OPTIONS = ['--auth=scram-sha-256', '--encoding=UTF8', '--locale=C'] as const;

/** Made beside its place and renamed into it when complete: a cluster that was interrupted in the making is never trusted. */
async function initialise(
  data: string,
  binaries: string,
  password: string,
  user: SystemUser | undefined,
): Promise<void> {
  if (existsSync(data)) return;
  const partial = `${data}.partial`;
  const passwordFile = `${data}.password`;
  await rm(partial, { recursive: true, force: true });
  // Its parents can be passed by the user it will belong to; itself by nobody else.
  await mkdir(dirname(partial), { recursive: true, mode: 0o755 });
  await mkdir(partial, { mode: 0o700 });
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  if (user !== undefined) {
    await chown(partial, user.uid, user.gid);
    await chown(passwordFile, user.uid, user.gid);
  }
  const args = [
    `--pgdata=${partial}`,
    `--username=${SUPERUSER}`,
    `--pwfile=${passwordFile}`,
    ...INITDB_OPTIONS,
  ];
  try {
    await run(join(binaries, 'bin/initdb'), args, {
      cwd: dirname(data),
      ...(user === undefined ? {} : { user }),
    });
    await appendFile(join(partial, 'postgresql.conf'), "\ninclude_if_exists = 'hourglass.conf'\n");
    await rename(partial, data);
  } finally {
    await rm(partial, { recursive: true, force: true });
    await rm(passwordFile, { force: true });
  }
}

/** PostgreSQL refuses to run as root; it gets the user that Debian's own packages would give it. */
async function unprivilegedUser(): Promise<SystemUser> {
  const find = async (): Promise<SystemUser | undefined> => {
    const entry = (await readFile('/etc/passwd', 'utf8'))
      .split('\n')
      .find((line) => line.startsWith(`${SUPERUSER}:`));
    const fields = entry?.split(':');
    return fields === undefined ? undefined : { uid: Number(fields[2]), gid: Number(fields[3]) };
  };
  const existing = await find();
  if (existing !== undefined) return existing;
  await run(which('useradd') ?? '/usr/sbin/useradd', [
    '--system',
    '--user-group',
    '--no-create-home',
    '--shell',
    '/bin/false',
    SUPERUSER,
  ]);
  const made = await find();
  if (made === undefined) throw new Error(`useradd made no user ${SUPERUSER}`);
  return made;
}

/** Where the data is kept when root's data directory is closed to the user that PostgreSQL runs as. */
export function postgresElsewhere(dataDir: string): string {
  const digest = createHash('sha256').update(dataDir).digest('hex').slice(0, 12);
  return `/var/lib/hourglass/${digest}/postgres`;
}

function dataDirectory(
  dataDir: string,
  user: SystemUser | undefined,
  say: (sentence: string) => void,
): string {
  const closed =
    user === undefined ? undefined : ancestors(dataDir).find((directory) => !isPassable(directory));
  if (closed === undefined) return join(dataDir, 'postgres');
  const elsewhere = postgresElsewhere(dataDir);
  say(
    `PostgreSQL cannot run as root and its own user may not pass ${closed}: its data is kept in ${elsewhere}.`,
  );
  return elsewhere;
}

function ancestors(path: string): string[] {
  const parent = dirname(path);
  return parent === path ? [path] : [path, ...ancestors(parent)];
}

function isPassable(directory: string): boolean {
  return !existsSync(directory) || (statSync(directory).mode & 0o001) !== 0;
}
