/** The pictures of the docs are those that the script takes, small enough for a page, and shown with what they are. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { projectRoot } from '../config/load.ts';
import { pictures } from './browser/pictures.ts';

const folder = join(projectRoot, 'docs/pictures');
const names = readdirSync(folder).filter((name) => name.endsWith('.png'));
const page = readFileSync(join(folder, 'README.md'), 'utf8');
const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const MOST_BYTES = 300 * 1_024;

describe('docs/pictures', () => {
  test('it holds what the script takes, and nothing else', () => {
    expect(names.toSorted()).toEqual(Object.keys(pictures).toSorted());
  });

  test.each(names)('%s is a PNG below 300 KB, and shown with what it is', (name) => {
    const content = readFileSync(join(folder, name));
    expect(content.subarray(0, PNG.length)).toEqual(PNG);
    expect(content.length).toBeLessThan(MOST_BYTES);
    expect(page).toMatch(new RegExp(`!\\[[^\\]]{20,}\\]\\(${name}\\)`));
  });
});
