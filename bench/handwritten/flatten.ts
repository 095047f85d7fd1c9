/**
 * Turns a record into a row, as `sql/flink/views/flattened-weather.sql` and `plausible-observations.sql` do. A record in which
 * all is as usual passes by cheap checks; any other is judged by the pipeline's own contract, which also words the reason.
 */
import { inspectWeatherRecord } from '../../pipelines/weather/contract.ts';
import { coordinates, measurements } from '../../pipelines/weather/measurements.ts';

type Document = Readonly<Record<string, unknown>>;

export interface RawRecord {
  readonly value: Buffer | null;
  /** Unix milliseconds. */
  readonly publishedMs: number;
}

/** Values in the order of {@link flattenedColumns}. */
export type FlattenedRow = readonly (number | string | null)[];

export type Flattened = { readonly row: FlattenedRow } | { readonly poison: string };

const bounded = [...coordinates, ...measurements].map(({ column, path, range }) => ({
  column,
  group: path.length > 1 ? path[0] : undefined,
  field: path.at(-1) ?? '',
  range,
}));

/** Names and types of what a row holds, in order. */
export const flattenedColumns = [
  { name: 'city_id', type: 'int8' },
  { name: 'observed_at', type: 'timestamptz' },
  { name: 'city_name', type: 'text' },
  { name: 'country', type: 'text' },
  ...bounded.map(({ column }) => ({ name: column, type: 'float8' }) as const),
  { name: 'condition_id', type: 'int4' },
  { name: 'condition', type: 'text' },
  { name: 'condition_description', type: 'text' },
  { name: 'condition_icon', type: 'text' },
  { name: 'conditions', type: 'jsonb' },
  { name: 'rejected_values', type: 'jsonb' },
] as const;

export function flatten({ value, publishedMs }: RawRecord): Flattened {
  const text = value?.toString() ?? '';
  const document = parse(text);
  if (document === undefined || !isUsual(document, text, publishedMs)) {
    const inspection = inspectWeatherRecord({ value, publishedAt: new Date(publishedMs) });
    if (inspection.kind === 'poison') return { poison: inspection.reason };
  }
  return { row: rowOf(document as Document) };
}

function parse(text: string): Document | undefined {
  try {
    const document: unknown = JSON.parse(text);
    return isObject(document) ? document : undefined;
  } catch {
    return undefined;
  }
}

const isObject = (value: unknown): value is Document =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Longer ones may hold what is too long or too deep; a replacement character may stand for what was not UTF-8. */
const USUAL_CHARACTERS = 1_000;
const EARLIEST_SECONDS = 0;
const SKEW_MS = 600_000;

/** Narrower than the contract, so that what passes here fits it; the test holds the two together. */
function isUsual(document: Document, text: string, publishedMs: number): boolean {
  const { id, dt, name, sys, main, weather } = document;
  return (
    text.length <= USUAL_CHARACTERS &&
    !text.includes('\ufffd') &&
    !text.includes('\\u0000') &&
    Number.isSafeInteger(id) &&
    (id as number) > 0 &&
    Number.isSafeInteger(dt) &&
    (dt as number) >= EARLIEST_SECONDS &&
    (dt as number) * 1_000 <= publishedMs + SKEW_MS &&
    isObject(main) &&
    typeof main['temp'] === 'number' &&
    isUsualText(name) &&
    (sys === undefined || (isObject(sys) && isUsualText(sys['country']))) &&
    (weather === undefined || (Array.isArray(weather) && weather.every(isObject)))
  );
}

const isUsualText = (value: unknown): boolean =>
  value === undefined || (typeof value === 'string' && value.length <= 200);

function rowOf(document: Document): FlattenedRow {
  const sys = isObject(document['sys']) ? document['sys'] : {};
  const row: (number | string | null)[] = [
    Number(document['id']),
    Number(document['dt']) * 1_000,
    textOf(document['name']),
    textOf(sys['country']),
  ];
  let rejected: Record<string, unknown> | undefined;
  for (const { column, group, field, range } of bounded) {
    const holder = group === undefined ? document : document[group];
    const value = measurementOf((holder as Document | null | undefined)?.[field]);
    const fits = value === null || (value >= range[0] && value <= range[1]);
    row.push(fits ? value : null);
    if (fits) continue;
    rejected ??= {};
    rejected[column] = { value: Number.isFinite(value) ? value : String(value), range };
  }
  row.push(...conditionsOf(document['weather']));
  row.push(rejected === undefined ? null : JSON.stringify(rejected));
  return row;
}

/** The primary condition's columns, then all of them as JSON. */
function conditionsOf(weather: unknown): (number | string | null)[] {
  if (!Array.isArray(weather)) return [null, null, null, null, null];
  const conditions = (weather as Document[]).map(({ id, main, description, icon }) => ({
    id: typeof id === 'number' ? id : null,
    main: textOf(main),
    description: textOf(description),
    icon: textOf(icon),
  }));
  const [primary] = conditions;
  return [
    primary?.id ?? null,
    primary?.main ?? null,
    primary?.description ?? null,
    primary?.icon ?? null,
    JSON.stringify(conditions),
  ];
}

/** A number, or a text that is one; NaN, which lies in no range, for what was given and is neither. */
function measurementOf(value: unknown): number | null {
  if (typeof value === 'number') return value;
  if (value === undefined || value === null) return null;
  return typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN;
}

function textOf(value: unknown): string | null {
  if (typeof value === 'string') return value;
  return value === undefined || value === null ? null : JSON.stringify(value);
}
