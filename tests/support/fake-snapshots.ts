/** Snapshots of the Flink in memory: real directories with a `_metadata`, which tells how much state is in them. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export interface FakeSnapshot {
  /** A file: URL, as Flink gives it. */
  readonly path: string;
  readonly jobId: string;
  /** `stop` is the savepoint with which a job ended: nothing came after it. */
  readonly kind: 'checkpoint' | 'savepoint' | 'stop';
  /** How long the job had run, with all that it was restored from, in milliseconds. */
  readonly lineage: number;
}

export type FakeSnapshots = ReturnType<typeof fakeSnapshots>;

export function fakeSnapshots(directory: string) {
  const made: FakeSnapshot[] = [];
  const metadata = (path: string): string => join(fileURLToPath(path), '_metadata');
  const isThere = ({ path }: FakeSnapshot): boolean => existsSync(metadata(path));
  return {
    checkpoints: pathToFileURL(join(directory, 'checkpoints')).href,
    savepoints: pathToFileURL(join(directory, 'savepoints')).href,

    write(snapshot: FakeSnapshot): void {
      mkdirSync(fileURLToPath(snapshot.path), { recursive: true });
      writeFileSync(metadata(snapshot.path), JSON.stringify(snapshot));
      made.push(snapshot);
    },

    /** @returns undefined when nothing whole is there */
    read(path: string): FakeSnapshot | undefined {
      return path !== '' && existsSync(metadata(path))
        ? (JSON.parse(readFileSync(metadata(path), 'utf8')) as FakeSnapshot)
        : undefined;
    },

    remove(path: string): void {
      rmSync(fileURLToPath(path), { recursive: true, force: true });
    },

    /** What is left of those a job made, the newest first. */
    of: (jobId: string): readonly FakeSnapshot[] =>
      made.filter((snapshot) => snapshot.jobId === jobId && isThere(snapshot)).reverse(),
  };
}
