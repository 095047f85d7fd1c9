/** Fills the jar directories of Kafka and Flink with Maven, from the pinned lists in docker/; Maven verifies every checksum. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectRoot } from '../../config/load.ts';
import { ProvisionError } from '../errors.ts';
import { cached } from './cache.ts';
import { run } from './run.ts';

/** @returns the directory that holds the jars, and nothing else */
export async function provisionJars(
  product: 'kafka' | 'flink',
  cacheDir: string,
  onLine: (line: string) => void,
): Promise<string> {
  const pom = join(projectRoot, 'docker', product, 'pom.xml');
  const content = await readFile(pom);
  const version = new RegExp(`<${product}\\.version>([^<]+)<`).exec(content.toString())?.[1] ?? 'unknown';
  const digest = createHash('sha256').update(content).digest('hex').slice(0, 12);
  return cached(cacheDir, `${product}-${version}-${digest}`, async (directory) => {
    try {
      await run(
        'mvn',
        [
          '--batch-mode',
          '--strict-checksums',
          '-f',
          pom,
          'dependency:copy-dependencies',
          '-DincludeScope=runtime',
          `-DoutputDirectory=${directory}`,
        ],
        { onLine: (line) => onLine(line.replace(/^\[INFO\] /, '')) },
      );
    } catch (error) {
      throw new ProvisionError(
        `The jars of ${product} could not be fetched with Maven: is Maven's repository reachable? ${String(error)}`,
        error,
      );
    }
  });
}
