/**
 * An array as a parameter in PostgreSQL's binary form. As text, writing thirty arrays of thousands of elements and reading them
 * again costs both sides more than the rows themselves.
 *
 * The form: array_send and the send functions of the element types, src/backend/utils/adt/arrayfuncs.c of PostgreSQL.
 */

/** The element types, with their object ids in pg_type.dat. */
const OIDS = { int4: 23, int8: 20, float8: 701, text: 25, jsonb: 3802, timestamptz: 1184 } as const;
export type ElementType = keyof typeof OIDS;

const HEADER_BYTES = 20;
const JSONB_VERSION = 1;
/** PostgreSQL counts microseconds from 2000-01-01. */
const EPOCH_MS = Date.UTC(2000, 0, 1);
const TWO_32 = 2 ** 32;

export class ArrayParameter {
  private readonly type: ElementType;
  private bytes = Buffer.alloc(64 * 1024);
  private view = viewOf(this.bytes);
  private end = HEADER_BYTES;
  private count = 0;
  private hasNull = false;

  constructor(type: ElementType) {
    this.type = type;
  }

  /** A number for the numeric types, Unix milliseconds for timestamptz, text for text and jsonb. */
  push(value: number | string | null | undefined): void {
    this.count += 1;
    if (value === null || value === undefined) {
      this.hasNull = true;
      this.reserve(4);
      this.view.setInt32(this.end, -1);
      this.end += 4;
    } else if (typeof value === 'string') this.pushText(value);
    else this.pushNumber(value);
  }

  /** What pg sends as it is: it takes a Buffer for a value in binary form. */
  toBuffer(): Buffer {
    const { view } = this;
    view.setInt32(0, this.count === 0 ? 0 : 1);
    view.setInt32(4, this.hasNull ? 1 : 0);
    view.setInt32(8, OIDS[this.type]);
    view.setInt32(12, this.count);
    view.setInt32(16, 1);
    // An array without elements has no dimension.
    return this.bytes.subarray(0, this.count === 0 ? 12 : this.end);
  }

  private pushNumber(value: number): void {
    this.reserve(12);
    const { view, end, type } = this;
    const size = type === 'int4' ? 4 : 8;
    view.setInt32(end, size);
    if (type === 'int4') view.setInt32(end + 4, value);
    else if (type === 'float8') view.setFloat64(end + 4, value);
    else {
      const whole = type === 'timestamptz' ? (value - EPOCH_MS) * 1_000 : value;
      view.setInt32(end + 4, Math.floor(whole / TWO_32));
      view.setUint32(end + 8, whole - Math.floor(whole / TWO_32) * TWO_32);
    }
    this.end += 4 + size;
  }

  private pushText(value: string): void {
    this.reserve(5 + value.length * 3);
    const prefix = this.type === 'jsonb' ? 1 : 0;
    const start = this.end + 4 + prefix;
    if (prefix === 1) this.bytes[start - 1] = JSONB_VERSION;
    const written = this.bytes.write(value, start, 'utf8');
    this.view.setInt32(this.end, written + prefix);
    this.end = start + written;
  }

  private reserve(wanted: number): void {
    if (this.end + wanted <= this.bytes.length) return;
    const larger = Buffer.alloc(Math.max(this.bytes.length * 2, this.end + wanted));
    this.bytes.copy(larger, 0, 0, this.end);
    this.bytes = larger;
    this.view = viewOf(larger);
  }
}

const viewOf = ({ buffer, byteOffset, byteLength }: Buffer): DataView =>
  new DataView(buffer, byteOffset, byteLength);
