import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type BytesOfLine, linesOf, longestLineBytes } from './file-lines.ts';

const mark = Buffer.from([0xef, 0xbb, 0xbf]);

async function linesIn(chunks: Iterable<Buffer>): Promise<BytesOfLine[]> {
  const lines: BytesOfLine[] = [];
  const source = (async function* () {
    yield* chunks;
  })();
  for await (const line of linesOf(source)) lines.push(line);
  return lines;
}

const textsIn = async (chunks: Iterable<Buffer>): Promise<[number, string][]> =>
  (await linesIn(chunks)).map(({ line, bytes }) => [line, bytes.toString()]);

function cutAt(bytes: Buffer, places: readonly number[]): Buffer[] {
  const bounds = [
    0,
    ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b),
    bytes.length,
  ];
  return bounds.slice(1).map((end, index) => bytes.subarray(bounds[index], end));
}

describe('lines', () => {
  const content = fc.oneof(
    fc.constantFrom('', ' ', '\t ', '{"name":"São Paulo"}', '😀'),
    fc.string({ unit: 'grapheme' }).map((text) => text.replace(/[\r\n\uFEFF]/g, '')),
  );
  const ended = fc.tuple(content, fc.constantFrom('\n', '\r\n'));

  test('are the same wherever the stream is cut: within a character, an end of line or the byte order mark', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(ended),
        content,
        fc.boolean(),
        fc.array(fc.nat()),
        async (lines, last, hasMark, places) => {
          const text = lines.map(([line, end]) => line + end).join('') + last;
          const bytes = Buffer.concat([hasMark ? mark : Buffer.alloc(0), Buffer.from(text)]);
          const expected = [...lines.map(([line]) => line), last]
            .map((line, index) => [index + 1, line] as const)
            .filter(([, line]) => /[^ \t]/.test(line));
          expect(await textsIn(cutAt(bytes, places))).toEqual(expected);
        },
      ),
    );
  });

  test('of nothing are none, and neither is a byte order mark alone', async () => {
    expect(await linesIn([])).toEqual([]);
    expect(await linesIn([mark])).toEqual([]);
  });

  test('count the blank ones, which do not come', async () => {
    expect(await textsIn([Buffer.from('\n\r\n \t\na\n\nb')])).toEqual([
      [4, 'a'],
      [6, 'b'],
    ]);
  });

  test('lose the byte order mark at the very beginning alone', async () => {
    const twice = Buffer.concat([mark, mark, Buffer.from('a\n'), mark, Buffer.from('b')]);
    expect(await textsIn([twice])).toEqual([
      [1, '\uFEFFa'],
      [2, '\uFEFFb'],
    ]);
  });
});

describe('a long line', () => {
  const longest = Buffer.alloc(longestLineBytes, 'x');

  test.each([
    ['', ''],
    ['', '\n'],
    ['', '\r\n'],
    [mark.toString(), '\r\n'],
  ])('of 1 MiB between %j and %j is whole', async (before, after) => {
    const [line] = await linesIn([Buffer.from(before), longest, Buffer.from(after)]);
    expect(line).toMatchObject({ line: 1, isTooLong: false });
    expect(line?.bytes.equals(longest)).toBe(true);
  });

  test.each(['x', 'xyz', 'xyzab\r'])(
    'of 1 MiB and %j is too long, and the next is as it is',
    async (more) => {
      const lines = await linesIn([longest, Buffer.from(more), Buffer.from('\nnext')]);
      expect(lines.map(({ line, isTooLong }) => [line, isTooLong])).toEqual([
        [1, true],
        [2, false],
      ]);
      expect(lines[0]?.bytes.equals(longest)).toBe(true);
      expect(lines[1]?.bytes.toString()).toBe('next');
    },
  );

  test('of blanks as far as it is held comes all the same: what follows them may be anything', async () => {
    const lines = await linesIn([Buffer.alloc(longestLineBytes + 1, ' '), Buffer.from('{}\n')]);
    expect(lines.map(({ isTooLong }) => isTooLong)).toEqual([true]);
  });

  test('without an end does not fill the memory', async () => {
    const chunk = () => Buffer.alloc(65_536, 'x');
    function* endless() {
      for (let count = 0; count < 8_192; count += 1) yield chunk();
    }
    const before = process.memoryUsage.rss();
    const lines = await linesIn(endless());
    expect(lines.map(({ isTooLong }) => isTooLong)).toEqual([true]);
    expect(lines[0]?.bytes).toHaveLength(longestLineBytes);
    // 512 MiB went through; what the collector has not taken back yet is a part of it.
    expect(process.memoryUsage.rss() - before).toBeLessThan(256 * 1_048_576);
  });
});
