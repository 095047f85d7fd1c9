import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { temporaryDirectories } from '../../tests/support/temporary-directories.ts';
import { compareVersions, goEntry, provisionTemporal } from './temporal.ts';

const temporaryDirectory = temporaryDirectories();
afterEach(() => vi.unstubAllEnvs());

const version = fc
  .tuple(fc.nat({ max: 200 }), fc.nat({ max: 200 }), fc.nat({ max: 200 }))
  .map((numbers) => ({ numbers, text: numbers.join('.') }));

describe('compareVersions', () => {
  test('orders as the three numbers do, the first that differs deciding', () => {
    fc.assert(
      fc.property(version, version, (left, right) => {
        const weight = ([a, b, c]: readonly [number, number, number]) => (a * 1_000 + b) * 1_000 + c;
        expect(Math.sign(compareVersions(left.text, right.text))).toBe(
          Math.sign(weight(left.numbers) - weight(right.numbers)),
        );
      }),
    );
  });

  test('compares as numbers: 1.9 is older than 1.31', () => {
    expect(compareVersions('1.9.1', '1.31.0')).toBeLessThan(0);
  });
});

/** A PATH on which there is a `temporal` that says this. */
function pathWithTemporal(says: string): string {
  const directory = temporaryDirectory();
  const program = join(directory, 'temporal');
  writeFileSync(program, `#!/bin/sh\necho '${says}'\n`);
  chmodSync(program, 0o755);
  vi.stubEnv('PATH', directory);
  return program;
}

/** A cache in which there is the server that Go built before, so that nothing is asked of the network. */
function cacheWithBuiltServer(): string {
  const cacheDir = temporaryDirectory();
  mkdirSync(goEntry(cacheDir));
  return cacheDir;
}

describe('the Temporal server', () => {
  test('is the one on PATH when it is new enough', async () => {
    const cli = pathWithTemporal('temporal version 1.9.1 (Server 1.32.0, UI 2.54.1)');
    const programs = await provisionTemporal(temporaryDirectory(), '1.31.0', () => undefined);
    expect(programs).toEqual({
      kind: 'cli',
      cli,
      version: '1.32.0',
      how: `Temporal server 1.32.0 from ${cli}`,
    });
  });

  test.each([
    ['older than what is asked for', 'temporal version 1.5.0 (Server 1.29.1, UI 2.42.0)'],
    ['silent about its server', 'temporal version 1.9.1'],
  ])('on PATH is not used when it is %s; one that was built before is', async (_, says) => {
    pathWithTemporal(says);
    const cacheDir = cacheWithBuiltServer();
    const programs = await provisionTemporal(cacheDir, '1.31.0', () => undefined);
    expect(programs).toMatchObject({
      kind: 'server',
      server: join(goEntry(cacheDir), 'temporal-server'),
      ui: join(goEntry(cacheDir), 'temporal-ui'),
    });
  });
});
