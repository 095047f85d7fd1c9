/** The download cache: an entry is filled beside its place and renamed into it when complete, so a half-filled one is never trusted. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * The directory of an entry, filled first when it is not there yet.
 * @param name carries the version and the hash of whatever decides the content
 * @param fill writes into the directory it is given; when it throws, nothing remains
 */
export async function cached(
  cacheDir: string,
  name: string,
  fill: (directory: string) => Promise<void>,
): Promise<string> {
  const entry = join(cacheDir, name);
  if (existsSync(entry)) return entry;
  await mkdir(cacheDir, { recursive: true, mode: 0o755 });
  const partial = join(cacheDir, `${name}.partial-${process.pid}-${randomBytes(4).toString('hex')}`);
  try {
    await mkdir(partial);
    await fill(partial);
    await rename(partial, entry).catch((error: NodeJS.ErrnoException) => {
      // Another process filled the same entry meanwhile; its content is the same.
      if (!existsSync(entry)) throw error;
    });
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  await removeAbandoned(cacheDir);
  return entry;
}

/** What interrupted provisions left: partial directories whose process is gone. */
async function removeAbandoned(cacheDir: string): Promise<void> {
  for (const name of await readdir(cacheDir)) {
    const pid = /\.partial-(\d+)-/.exec(name)?.[1];
    if (pid !== undefined && !runs(Number(pid)))
      await rm(join(cacheDir, name), { recursive: true, force: true });
  }
}

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
