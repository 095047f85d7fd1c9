/** Owns the cutting of a stream of bytes into lines, with bounded memory; what a line says is left to its reader. */

/** A longer line is no record: Kafka would refuse it, and one line without an end must not fill the memory. */
export const longestLineBytes = 1_048_576;

/** A line that is not blank. */
export interface BytesOfLine {
  /** From 1 on; blank lines count. */
  readonly line: number;
  /** Without the end of the line; of a line that is too long only its beginning. */
  readonly bytes: Buffer;
  readonly isTooLong: boolean;
}

/** Lines end with LF or CRLF, the last one may have no end. A byte order mark at the very beginning is no part of a line. */
export async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<BytesOfLine, void, undefined> {
  const cutter = createLineCutter();
  for await (const chunk of chunks) yield* cutter.take(chunk);
  yield* cutter.end();
}

const LF = 0x0a;
const CR = 0x0d;
const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);
/** A line of the greatest length may have a byte order mark before it and a CR behind it. */
const mostHeldBytes = longestLineBytes + byteOrderMark.length + 1;

function createLineCutter() {
  let line = 0;
  let pieces: Buffer[] = [];
  let heldBytes = 0;
  let isCut = false;

  const hold = (piece: Buffer): void => {
    const fitting = piece.subarray(0, mostHeldBytes - heldBytes);
    isCut ||= fitting.length < piece.length;
    heldBytes += fitting.length;
    // An empty piece would still keep its whole chunk in memory.
    if (fitting.length > 0) pieces.push(fitting);
  };

  const finish = (): BytesOfLine => {
    line += 1;
    const [first = Buffer.alloc(0), ...others] = pieces;
    const held = others.length === 0 ? first : Buffer.concat(pieces);
    const bytes = withoutEnds(held, line === 1, isCut);
    [pieces, heldBytes, isCut] = [[], 0, false];
    return {
      line,
      bytes: bytes.subarray(0, longestLineBytes),
      isTooLong: bytes.length > longestLineBytes,
    };
  };

  return {
    *take(chunk: Buffer): Generator<BytesOfLine, void, undefined> {
      let start = 0;
      for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, start)) {
        hold(chunk.subarray(start, end));
        start = end + 1;
        const cut = finish();
        if (!isBlank(cut)) yield cut;
      }
      hold(chunk.subarray(start));
    },
    *end(): Generator<BytesOfLine, void, undefined> {
      const cut = finish();
      if (!isBlank(cut)) yield cut;
    },
  };
}

/** @param isCut the end of the line is not among the bytes */
function withoutEnds(held: Buffer, isFirst: boolean, isCut: boolean): Buffer {
  const hasMark = isFirst && held.subarray(0, byteOrderMark.length).equals(byteOrderMark);
  const hasCarriageReturn = !isCut && held.at(-1) === CR;
  return held.subarray(hasMark ? byteOrderMark.length : 0, hasCarriageReturn ? -1 : undefined);
}

const blanks: readonly number[] = [0x20, 0x09, CR];

/** Of a line that is too long nobody knows: what was not held may be anything. */
const isBlank = ({ bytes, isTooLong }: BytesOfLine): boolean =>
  !isTooLong && bytes.every((byte) => blanks.includes(byte));
