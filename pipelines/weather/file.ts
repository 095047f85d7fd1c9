/**
 * Owns how a line of a file becomes a weather record: current weather, or a row of the history with its `city_id`, in whatever
 * units. The file and its lines are `clients/observation-file.ts`'s, the record's text is `history.ts`'s.
 */
import type { LineReaderOptions, LineReading, ReadLine } from '../../clients/observation-file.ts';
import {
  describeIssue,
  type HistoryRow,
  parseCityHistoryRow,
  parseCurrentWeather,
  shownValue,
} from '../../schemas/openweathermap.ts';
import { inspectWeatherRecord } from './contract.ts';
import { currentWeatherText, type Origin, originOf } from './history.ts';

/** A record comes out of a line only if it fits the contract, so that no line is found unfit after it was published. */
export const createWeatherLineReader =
  ({ units, locationOf, now }: LineReaderOptions): ReadLine =>
  (text) => {
    const observed = readObserved(text);
    if ('reason' in observed) return malformed(observed.reason);
    const location = locationOf(observed.origin.id);
    if (location === undefined)
      return malformed(
        `City ${observed.origin.id} is not registered: \`hourglass locations add\` registers it.`,
      );
    const body = currentWeatherText(observed.row, { ...originOf(location), ...observed.origin }, units);
    const inspection = inspectWeatherRecord({ value: Buffer.from(body), publishedAt: now() });
    if (inspection.kind === 'poison') return malformed(inspection.reason);
    const { entityId, observedAt } = inspection;
    return { kind: 'record', entityId, observedAt, body };
  };

const malformed = (reason: string): LineReading => ({ kind: 'malformed', reason });

interface Observed {
  readonly row: HistoryRow;
  readonly origin: Origin;
}

function readObserved(text: string): Observed | { readonly reason: string } {
  const document = readJson(text);
  if ('reason' in document) return document;
  const { value } = document;
  return isObject(value) && 'city_id' in value ? readHistoryRow(value) : readCurrentWeather(value);
}

function readHistoryRow(value: Readonly<Record<string, unknown>>): Observed | { readonly reason: string } {
  const { success, data: row, error } = parseCityHistoryRow(value);
  if (!success) return { reason: describeIssue(error) };
  const { id } = value;
  if (id !== undefined && id !== row.city_id)
    return {
      reason: `The field "city_id" is ${row.city_id} and the field "id" is ${shownValue(id)}, expected one city.`,
    };
  return { row, origin: { id: row.city_id } };
}

function readCurrentWeather(value: unknown): Observed | { readonly reason: string } {
  const { success, data: weather, error } = parseCurrentWeather(value);
  if (!success) return { reason: describeIssue(error) };
  const { id, name, coord, sys } = weather;
  const origin = {
    id,
    ...(name === undefined ? {} : { name }),
    ...(coord === undefined ? {} : { coord }),
    ...(sys?.country === undefined ? {} : { sys }),
  };
  return { row: weather, origin };
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** An observation has a dozen. Nested in each other so many thousand times, they could not be quoted in a reason. */
const mostBrackets = 1_000;

function readJson(text: string): { readonly value: unknown } | { readonly reason: string } {
  if (text.length > mostBrackets && (text.match(/[[{]/g)?.length ?? 0) > mostBrackets)
    return { reason: `The line opens more than ${mostBrackets} objects and arrays, which no record does.` };
  try {
    // What others write as null they do not know: it counts as absent, as in a record of another producer.
    const value: unknown = text.includes('null')
      ? JSON.parse(text, (_, each) => (each === null ? undefined : each))
      : JSON.parse(text);
    return { value };
  } catch (error) {
    // It quotes the line, white space and all.
    return { reason: `The line is not JSON: ${(error as Error).message.replace(/\s+/g, ' ')}.` };
  }
}
