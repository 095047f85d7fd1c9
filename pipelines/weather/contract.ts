/**
 * The contract of a weather record, in the words of a reason: what `sql/flink/views/flattened-weather.sql` lets through is what
 * fits here. The shape that a producer should send is `schemas/openweathermap.ts`; this is what is accepted at the least.
 */
import type { Inspection } from '../../domain/record-accounts.ts';
import { shownValue } from '../../schemas/openweathermap.ts';
import {
  at,
  type Document,
  inspectDocument,
  isNumber,
  isObject,
  keyLimits,
  named,
  type RawRecord,
} from '../record-document.ts';
import { measurements } from './measurements.ts';

export const contractLimits = { ...keyLimits, textCharacters: 200, conditionsCharacters: 10_000 } as const;

export const inspectWeatherRecord = (record: RawRecord): Inspection =>
  inspectDocument(record, (document) => reasonAgainstMeasurements(document) ?? reasonAgainstTexts(document));

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
