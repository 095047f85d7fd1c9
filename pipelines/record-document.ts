/**
 * Owns how a record is read by a contract: its bytes as a JSON document, its numbers as Flink reads them, and the key that records of
 * OpenWeatherMap share, `id` and `dt`. What else a record must have is each pipeline's own.
 */
import type { Inspection } from '../domain/record-accounts.ts';
import { shownValue } from '../schemas/openweathermap.ts';

export const keyLimits = {
  largestId: Number.MAX_SAFE_INTEGER,
  /** 1900-01-01T00:00:00Z in Unix seconds. */
  earliestSeconds: -2_208_988_800,
  /** How far an observation may lie after the time of its publishing: clocks differ. */
  skewSeconds: 600,
  nesting: 1_000,
} as const;

export interface RawRecord {
  readonly value: Uint8Array | null;
  readonly publishedAt: Date;
}

export type Document = Readonly<Record<string, unknown>>;

/** @param reasonAgainst what speaks against a document whose key is right */
export function inspectDocument(
  { value, publishedAt }: RawRecord,
  reasonAgainst: (document: Document) => string | undefined,
): Inspection {
  const document = readDocument(value);
  if ('poison' in document) return { kind: 'poison', reason: document.poison };
  const { id, dt } = document.read;
  const entityId = numberOf(id);
  const seconds = numberOf(dt);
  const reason =
    reasonAgainstId(id, entityId) ??
    reasonAgainstTime(dt, seconds, publishedAt) ??
    reasonAgainst(document.read);
  return reason === undefined
    ? { kind: 'fits', entityId, observedAt: new Date(seconds * 1_000) }
    : { kind: 'poison', reason };
}

type Reading = { readonly read: Document } | { readonly poison: string };

function readDocument(value: Uint8Array | null): Reading {
  if (value === null) return { poison: 'The record has no value.' };
  if (value.length === 0) return { poison: 'The value is empty.' };
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(value);
  } catch {
    return { poison: 'The value is not UTF-8.' };
  }
  // First of all: what is nested a hundred thousand levels deep, no reason could quote.
  const levels = nestingOf(text);
  if (levels > keyLimits.nesting)
    return {
      poison: `The document is nested ${levels} levels deep, at most ${keyLimits.nesting} are read.`,
    };
  try {
    const document: unknown = JSON.parse(text);
    return isObject(document)
      ? { read: document }
      : { poison: `The document is ${shownValue(document)}, expected an object.` };
  } catch (error) {
    // It quotes the value, line breaks and all.
    return { poison: `The value is not JSON: ${(error as Error).message.replace(/\s+/g, ' ')}.` };
  }
}

/** How deep arrays and objects stand in each other; brackets within texts are none. */
function nestingOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let isQuoted = false;
  for (let place = 0; place < text.length; place += 1) {
    const character = text[place];
    if (isQuoted) {
      if (character === '\\') place += 1;
      else if (character === '"') isQuoted = false;
    } else if (character === '"') isQuoted = true;
    else if (character === '[' || character === '{') {
      depth += 1;
      deepest = Math.max(deepest, depth);
    } else if (character === ']' || character === '}') depth -= 1;
  }
  return deepest;
}

export const isObject = (value: unknown): value is Document =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The texts that Java's Double.parseDouble reads, by which Flink makes a number of a text: "5d" is one, "0x10" is none. */
const numeral = /^[+-]?(?:NaN|Infinity|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[dDfF]?)$/;

export const isNumber = (value: unknown): boolean =>
  typeof value === 'number' || (typeof value === 'string' && numeral.test(value.trim()));

/** A number, or a text that is one, as Flink reads it; NaN for everything else. */
function numberOf(value: unknown): number {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && isNumber(value) ? Number.parseFloat(value.trim()) : Number.NaN;
}

/** The beginning of a reason. */
export const named = (field: string, value: unknown): string =>
  value === undefined || value === null
    ? `The field "${field}" is missing`
    : `The field "${field}" is ${shownValue(value)}`;

function reasonAgainstId(id: unknown, entityId: number): string | undefined {
  const fits = Number.isInteger(entityId) && entityId >= 1 && entityId <= keyLimits.largestId;
  return fits ? undefined : `${named('id', id)}, expected an integer between 1 and ${keyLimits.largestId}.`;
}

function reasonAgainstTime(dt: unknown, seconds: number, publishedAt: Date): string | undefined {
  if (!Number.isInteger(seconds)) return `${named('dt', dt)}, expected Unix seconds.`;
  const { earliestSeconds, skewSeconds } = keyLimits;
  if (seconds < earliestSeconds)
    return `${named('dt', dt)}, which lies before 1900-01-01T00:00:00Z (${earliestSeconds}).`;
  const latest = Math.floor(publishedAt.getTime() / 1_000) + skewSeconds;
  if (seconds * 1_000 > publishedAt.getTime() + skewSeconds * 1_000)
    return `${named('dt', dt)}, which lies after ${latest}: the time of publishing ${publishedAt.toISOString()} and ${skewSeconds / 60} minutes. Are these milliseconds?`;
  return undefined;
}

/** The value at a path; undefined where something on it is no object. */
export const at = (document: Document, path: readonly string[]): unknown =>
  path.reduce<unknown>((value, part) => (isObject(value) ? value[part] : undefined), document);
