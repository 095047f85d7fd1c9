/**
 * The JSON Schema of a record for other producers, made from `schemas/openweathermap.ts` and what the contract adds. It stands in
 * `docs/contract/observation.schema.json`, which `npm run docs:contract` writes.
 */
import * as z from 'zod';
import { currentWeatherSchema } from '../../schemas/openweathermap.ts';
import { contractLimits } from './contract.ts';
import { coordinates, type Measurement, measurements } from './measurements.ts';

type JsonSchema = z.core.JSONSchema.JSONSchema;

const withoutNul: JsonSchema = { pattern: '^[^\\u0000]*$' };
const shortText: JsonSchema = { ...withoutNul, maxLength: contractLimits.textCharacters };

/** Where a record may or must be other than an answer of OpenWeatherMap; a field by its path. */
const additions: Readonly<Record<string, JsonSchema>> = {
  // The source never gives a time before 1970.
  dt: { minimum: contractLimits.earliestSeconds },
  name: shortText,
  'sys.country': shortText,
  'weather.items.main': withoutNul,
  'weather.items.description': withoutNul,
  'weather.items.icon': withoutNul,
};

/**
 * What a producer should send, draft 2020-12. A document that fits it becomes a row, if its time is not after that of its
 * publishing and its conditions are not too long, which JSON Schema cannot say.
 */
export function observationJsonSchema(): JsonSchema {
  const ranged = [...measurements, ...coordinates];
  const { $schema, ...shape } = z.toJSONSchema(currentWeatherSchema, {
    override({ jsonSchema, path }) {
      const field = path.filter((part) => part !== 'properties').join('.');
      const measurement = ranged.find((each) => each.path.join('.') === field);
      Object.assign(jsonSchema, additions[field]);
      if (measurement !== undefined)
        jsonSchema.description = [jsonSchema.description, rangeOf(measurement)].join(' ');
    },
  });
  return {
    ...($schema === undefined ? {} : { $schema }),
    $id: 'urn:hourglass:schema:weather.observations.v1',
    title: 'A weather observation',
    description:
      'The value of a record of weather.observations.v1. At least one measurement must be there; one that is not known is left out. docs/producers.md has the whole contract.',
    ...shape,
    anyOf: measurements.map(({ path }) => required(path)),
  };
}

const rangeOf = ({ range: [lowest, highest], column }: Measurement): string =>
  `A value outside ${lowest} to ${highest} is accepted and kept in rejected_values; the column ${column} is then NULL.`;

function required([field = '', ...rest]: readonly string[]): JsonSchema {
  const properties = { [field]: rest.length === 0 ? {} : required(rest) };
  return { type: 'object', required: [field], properties };
}
