/**
 * The contract of a weather record, in the words of a reason: what `sql/flink/views/flattened-weather.sql` lets through is what
 * fits here. The shape that a producer should send is `schemas/openweathermap.ts`; this is what is accepted at the least.
 */
import type { Inspection } from '../../domain/record-accounts.ts';
import { shownValue } from '../../schemas/openweathermap.ts';
import { measurements } from './measurements.ts';

export const contractLimits = {
  largestId: Number.MAX_SAFE_INTEGER,
  /** 1900-01-01T00:00:00Z in Unix seconds. */
  earliestSeconds: -2_208_988_800,
  /** How far an observation may lie after the time of its publishing: clocks differ. */
  skewSeconds: 600,
  textCharacters: 200,
  conditionsCharacters: 10_000,
  nesting: 1_000,
} as const;

interface RawRecord {
  readonly value: Uint8Array | null;
  readonly publishedAt: Date;
}

type Document = Readonly<Record<string, unknown>>;

export function inspectWeatherRecord({ value, publishedAt }: RawRecord): Inspection {
  const document = readDocument(value);
  if ('poison' in document) return { kind: 'poison', reason: document.poison };
  const { id, dt } = document.read;
  const cityId = numberOf(id);
  const seconds = numberOf(dt);
  const reason =
    reasonAgainstId(id, cityId) ??
    reasonAgainstTime(dt, seconds, publishedAt) ??
    reasonAgainstMeasurements(document.read) ??
    reasonAgainstTexts(document.read);
  return reason === undefined
    ? { kind: 'fits', entityId: cityId, observedAt: new Date(seconds * 1_000) }
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
  if (levels > contractLimits.nesting)
    return {
      poison: `The document is nested ${levels} levels deep, at most ${contractLimits.nesting} are read.`,
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

const isObject = (value: unknown): value is Document =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The texts that Java's Double.parseDouble reads, by which Flink makes a number of a text: "5d" is one, "0x10" is none. */
const numeral = /^[+-]?(?:NaN|Infinity|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[dDfF]?)$/;

const isNumber = (value: unknown): boolean =>
  typeof value === 'number' || (typeof value === 'string' && numeral.test(value.trim()));

/** A number, or a text that is one, as Flink reads it; NaN for everything else. */
function numberOf(value: unknown): number {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && isNumber(value) ? Number.parseFloat(value.trim()) : Number.NaN;
}

const named = (field: string, value: unknown): string =>
  value === undefined || value === null
    ? `The field "${field}" is missing`
    : `The field "${field}" is ${shownValue(value)}`;

function reasonAgainstId(id: unknown, cityId: number): string | undefined {
  const fits = Number.isInteger(cityId) && cityId >= 1 && cityId <= contractLimits.largestId;
  return fits
    ? undefined
    : `${named('id', id)}, expected an integer between 1 and ${contractLimits.largestId}.`;
}

function reasonAgainstTime(dt: unknown, seconds: number, publishedAt: Date): string | undefined {
  if (!Number.isInteger(seconds)) return `${named('dt', dt)}, expected Unix seconds.`;
  const { earliestSeconds, skewSeconds } = contractLimits;
  if (seconds < earliestSeconds)
    return `${named('dt', dt)}, which lies before 1900-01-01T00:00:00Z (${earliestSeconds}).`;
  const latest = Math.floor(publishedAt.getTime() / 1_000) + skewSeconds;
  if (seconds * 1_000 > publishedAt.getTime() + skewSeconds * 1_000)
    return `${named('dt', dt)}, which lies after ${latest}: the time of publishing ${publishedAt.toISOString()} and ${skewSeconds / 60} minutes. Are these milliseconds?`;
  return undefined;
}

const at = (document: Document, path: readonly string[]): unknown =>
  path.reduce<unknown>((value, part) => (isObject(value) ? value[part] : undefined), document);

function reasonAgainstMeasurements(document: Document): string | undefined {
  const given = measurements.map(({ path }) => at(document, path));
  if (given.some(isNumber)) return undefined;
  const group = ['main', 'visibility', 'wind', 'clouds', 'rain', 'snow'].find(
    (name) => document[name] !== undefined,
  );
  return group === undefined
    ? 'There is no measurement: none of main, visibility, wind, clouds, rain and snow.'
    : `There is no measurement: ${named(group, document[group]).replace('The field', 'the field')}, and no number is in any other.`;
}

function reasonAgainstTexts(document: Document): string | undefined {
  const texts: readonly (readonly [string, unknown])[] = [
    ['name', document['name']],
    ['sys.country', at(document, ['sys', 'country'])],
  ];
  for (const [field, value] of texts) {
    if (value === undefined || value === null) continue;
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    if ([...text].length > contractLimits.textCharacters)
      return `The field "${field}" has ${[...text].length} characters, at most ${contractLimits.textCharacters} are stored.`;
    if (text.includes('\u0000'))
      return `The field "${field}" holds the NUL character, which PostgreSQL cannot store.`;
  }
  return reasonAgainstConditions(document['weather']);
}

function reasonAgainstConditions(weather: unknown): string | undefined {
  if (!Array.isArray(weather)) return undefined;
  const empty = weather.findIndex((condition) => !isObject(condition));
  if (empty >= 0)
    return `The field "weather[${empty}]" is ${shownValue(weather[empty])}, expected an object.`;
  const text = JSON.stringify(
    weather.map(({ id = null, main = null, description = null, icon = null }: Document) => ({
      id,
      main,
      description,
      icon,
    })),
  );
  if (text.length > contractLimits.conditionsCharacters)
    return `The field "weather" takes ${text.length} characters, at most ${contractLimits.conditionsCharacters} are stored.`;
  return text.includes('\\u0000')
    ? 'The field "weather" holds the NUL character, which PostgreSQL cannot store.'
    : undefined;
}
