/**
 * Owns the shape of OpenWeatherMap's answers at the border: what must be there, and of which type. Fetching and the typed
 * errors are `clients/openweathermap.ts`'s; bounds of physical plausibility are the pipeline's.
 */
import * as z from 'zod';

/** 2200-01-01T00:00:00Z in Unix seconds. Any present-day time in milliseconds is far above it. */
const year2200Seconds = 7_258_118_400;

const cityIdExpectation = 'expected a positive safe integer';
const unixSecondsExpectation = `expected Unix seconds (not milliseconds) between 1 and ${year2200Seconds}, the year 2200`;

const conditionSchema = z.looseObject({
  id: z.number().optional(),
  main: z.string().optional(),
  description: z.string().optional(),
  icon: z.string().optional(),
});

/** Millimetres in the last hour or three hours. */
const precipitationSchema = z.looseObject({ '1h': z.number().optional(), '3h': z.number().optional() });

/**
 * `/data/2.5/weather` with `units=metric`: °C, m/s, hPa, metres, percent, millimetres; times in Unix seconds, UTC.
 *
 * Only the key (`id`, `dt`) is required. A phenomenon that did not happen is absent, never null; unknown fields pass
 * through, because the unchanged text is what gets published.
 * Fields: https://openweathermap.org/current#fields_json
 */
export const currentWeatherSchema = z.looseObject({
  id: z.int({ error: cityIdExpectation }).positive({ error: cityIdExpectation }),
  dt: z
    .int({ error: unixSecondsExpectation })
    .min(1, { error: unixSecondsExpectation })
    .max(year2200Seconds, { error: unixSecondsExpectation }),
  coord: z.looseObject({ lon: z.number().optional(), lat: z.number().optional() }).optional(),
  weather: z.array(conditionSchema).optional(),
  base: z.string().optional(),
  main: z
    .looseObject({
      temp: z.number().optional(),
      feels_like: z.number().optional(),
      temp_min: z.number().optional(),
      temp_max: z.number().optional(),
      pressure: z.number().optional(),
      humidity: z.number().optional(),
      sea_level: z.number().optional(),
      grnd_level: z.number().optional(),
    })
    .optional(),
  visibility: z.number().optional(),
  wind: z
    .looseObject({ speed: z.number().optional(), deg: z.number().optional(), gust: z.number().optional() })
    .optional(),
  clouds: z.looseObject({ all: z.number().optional() }).optional(),
  rain: precipitationSchema.optional(),
  snow: precipitationSchema.optional(),
  sys: z
    .looseObject({
      type: z.number().optional(),
      id: z.number().optional(),
      country: z.string().optional(),
      sunrise: z.number().optional(),
      sunset: z.number().optional(),
    })
    .optional(),
  timezone: z.number().optional(),
  name: z.string().optional(),
  cod: z.union([z.number(), z.string()], { error: 'expected number or string' }).optional(),
});

export type CurrentWeather = z.infer<typeof currentWeatherSchema>;

/** The body of a refusal. `cod` is a number for 401 and 429 and a string for 400, 404 and 5xx. */
export const apiErrorSchema = z.looseObject({
  cod: z.union([z.number(), z.string()], { error: 'expected number or string' }),
  message: z.string(),
});

/**
 * Validates parsed JSON against {@link currentWeatherSchema}, keeping the offending input in the issues so that
 * {@link describeIssue} can name it. Does not throw.
 */
export function parseCurrentWeather(value: unknown): z.ZodSafeParseResult<CurrentWeather> {
  return currentWeatherSchema.safeParse(value, { reportInput: true });
}

const shownValueLength = 60;

/**
 * One sentence about the first issue of a validation error: the field, the value received (as JSON, cut to 60
 * characters) and what was expected. The value is known only to errors parsed with `reportInput`, as
 * {@link parseCurrentWeather} does. `redact` removes secrets from it before the cut: half a secret is no longer recognised.
 */
export function describeIssue(error: z.ZodError, redact: (text: string) => string = (text) => text): string {
  const [issue] = error.issues;
  if (issue === undefined) return 'The document does not match its schema.';
  const subject = issue.path.length === 0 ? 'The document' : `The field "${fieldName(issue.path)}"`;
  // zod's own messages read "Invalid input: expected number, received string"; the value itself says more than its type.
  const expected = issue.message.replace(/^[^:]*: (?=expected )/, '').replace(/, received .*$/, '');
  return `${subject} ${receivedText(issue, redact)}, ${expected}.`;
}

function fieldName(path: readonly PropertyKey[]): string {
  return path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('')
    .replace(/^\./, '');
}

function receivedText(issue: z.core.$ZodIssue, redact: (text: string) => string): string {
  if (!('input' in issue)) return 'is wrong';
  if (issue.input === undefined) return 'is missing';
  return `is ${shownValue(issue.input, redact)}`;
}

/** A value as JSON, cut to 60 characters; `redact` comes before the cut. */
export function shownValue(value: unknown, redact: (text: string) => string = (text) => text): string {
  return truncate(redact(typeof value === 'number' ? String(value) : JSON.stringify(value)));
}

function truncate(text: string): string {
  const characters = [...text];
  return characters.length <= shownValueLength
    ? text
    : `${characters.slice(0, shownValueLength - 1).join('')}…`;
}
