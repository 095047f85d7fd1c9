/**
 * Owns the shape of OpenWeatherMap's answers at the border: what must be there, and of which type. Fetching and the typed
 * errors are `clients/openweathermap.ts`'s; bounds of physical plausibility are the pipeline's.
 */
import * as z from 'zod';

/** 2200-01-01T00:00:00Z in Unix seconds. Any present-day time in milliseconds is far above it. */
const year2200Seconds = 7_258_118_400;

const cityIdExpectation = 'expected a positive safe integer';
const unixSecondsExpectation = `expected Unix seconds (not milliseconds) between 1 and ${year2200Seconds}, the year 2200`;

const NOT_STORED = 'Not stored.';

const cityIdSchema = z.int({ error: cityIdExpectation }).positive({ error: cityIdExpectation });

/** The number 200 in current weather and the text "200" in the history. */
const codSchema = z.union([z.number(), z.string()], { error: 'expected number or string' });

const optionalNumber = (description: string) => z.number().optional().describe(description);
const optionalText = (description: string) => z.string().optional().describe(description);

const conditionSchema = z.looseObject({
  id: optionalNumber('The condition as an integer code: 800 is a clear sky.'),
  main: optionalText('The group of the condition: Rain, Snow, Clear.'),
  description: optionalText('The condition in words.'),
  icon: optionalText("The code of the source's icon: 10d."),
});

const precipitationSchema = (what: string) =>
  z.looseObject({
    '1h': optionalNumber(`${what} in the last hour, mm/h.`),
    '3h': optionalNumber(NOT_STORED),
  });

/**
 * `/data/2.5/weather` with `units=metric`: °C, m/s, hPa, metres, percent, millimetres; times in Unix seconds, UTC.
 *
 * Only the key (`id`, `dt`) is required. A phenomenon that did not happen is absent, never null; unknown fields pass
 * through, because the unchanged text is what gets published. The descriptions are for other producers: the JSON Schema of a
 * record is made from this schema (`pipelines/weather/json-schema.ts`).
 * Fields: https://openweathermap.org/current#fields_json
 */
export const currentWeatherSchema = z.looseObject({
  id: cityIdSchema.describe("The city's id; with dt the key of the observation."),
  dt: z
    .int({ error: unixSecondsExpectation })
    .min(1, { error: unixSecondsExpectation })
    .max(year2200Seconds, { error: unixSecondsExpectation })
    .describe('The time of the observation in Unix seconds (not milliseconds), UTC.'),
  coord: z
    .looseObject({
      lon: optionalNumber('Longitude, ° east.'),
      lat: optionalNumber('Latitude, ° north.'),
    })
    .optional(),
  weather: z.array(conditionSchema).optional().describe('The conditions, the primary one first.'),
  base: optionalText(NOT_STORED),
  main: z
    .looseObject({
      temp: optionalNumber('Temperature, °C.'),
      feels_like: optionalNumber('Temperature as it is felt, °C.'),
      temp_min: optionalNumber('Lowest temperature within the city at that moment, °C.'),
      temp_max: optionalNumber('Highest temperature within the city at that moment, °C.'),
      pressure: optionalNumber('Atmospheric pressure at sea level, hPa.'),
      humidity: optionalNumber('Relative humidity, %.'),
      sea_level: optionalNumber('Atmospheric pressure at sea level, hPa.'),
      grnd_level: optionalNumber('Atmospheric pressure at ground level, hPa.'),
    })
    .optional(),
  visibility: optionalNumber('Visibility, m.'),
  wind: z
    .looseObject({
      speed: optionalNumber('Wind speed, m/s.'),
      deg: optionalNumber('Where the wind comes from, °: 90 is the east.'),
      gust: optionalNumber('Speed of gusts, m/s.'),
    })
    .optional(),
  clouds: z.looseObject({ all: optionalNumber('Share of the sky that is covered, %.') }).optional(),
  rain: precipitationSchema('Rain').optional(),
  snow: precipitationSchema('Snow').optional(),
  sys: z
    .looseObject({
      type: optionalNumber(NOT_STORED),
      id: optionalNumber(NOT_STORED),
      country: optionalText("The country's code of two letters (ISO 3166-1)."),
      sunrise: optionalNumber(NOT_STORED),
      sunset: optionalNumber(NOT_STORED),
    })
    .optional(),
  timezone: optionalNumber(NOT_STORED),
  name: optionalText("The city's name."),
  cod: codSchema.optional().describe(NOT_STORED),
});

export type CurrentWeather = z.infer<typeof currentWeatherSchema>;

/**
 * What was observed in one place at one time, as a row of the history has it: of which city is said beside it. `visibility` is
 * in no row of the API and in some of files.
 */
const historyRowSchema = currentWeatherSchema.pick({
  dt: true,
  main: true,
  wind: true,
  clouds: true,
  weather: true,
  rain: true,
  snow: true,
  visibility: true,
});

export type HistoryRow = z.infer<typeof historyRowSchema>;

/** `/data/2.5/history/city`. Fields: https://openweathermap.org/history#fields */
const cityHistorySchema = z.looseObject({
  cod: codSchema.optional(),
  city_id: cityIdSchema.optional(),
  list: z.array(historyRowSchema),
});

export type CityHistory = z.infer<typeof cityHistorySchema>;

/** A row of the history outside its answer, as a line of a file: the city's id stands in the row itself. */
const cityHistoryRowSchema = historyRowSchema.extend({ city_id: cityIdSchema });

export type CityHistoryRow = z.infer<typeof cityHistoryRowSchema>;

/** A row of the air pollution's answers: an index from 1 to 5, and µg/m³ of each component. */
const airRowSchema = z.looseObject({
  dt: currentWeatherSchema.shape.dt,
  main: z.looseObject({ aqi: z.number() }),
  components: z.looseObject({}),
});

/** `/data/2.5/air_pollution` and its `/history`. Fields: https://openweathermap.org/api/air-pollution#fields */
const airPollutionSchema = z.looseObject({
  coord: currentWeatherSchema.shape.coord,
  list: z.array(airRowSchema),
});

export type AirPollution = z.infer<typeof airPollutionSchema>;

/**
 * One hit of `/geo/1.0/direct`, the geocoding of a name. Its answer is a list, empty when nothing is found; of the hit's
 * names in other languages (`local_names`) nothing is used.
 * Fields: https://openweathermap.org/api/geocoding-api#direct_name_fields
 */
const geocodedPlaceSchema = z.looseObject({
  name: z.string().min(1),
  lat: z.number().min(-90).max(90),
  lon: z.number().min(-180).max(180),
  country: z.string().regex(/^[A-Z]{2}$/, 'expected a country code of two capital letters'),
  state: z.string().optional(),
});

export type GeocodedPlace = z.infer<typeof geocodedPlaceSchema>;

const geocodedPlacesSchema = z.array(geocodedPlaceSchema);

/** As {@link parseCurrentWeather}, for the air of a place; a wrong row is named as `list[3].components`. */
export function parseAirPollution(value: unknown): z.ZodSafeParseResult<AirPollution> {
  return airPollutionSchema.safeParse(value, { reportInput: true });
}

/** The same where there must be a row: the air of this moment. */
export function parseCurrentAir(value: unknown): z.ZodSafeParseResult<AirPollution> {
  return airPollutionSchema
    .extend({ list: z.array(airRowSchema).min(1) })
    .safeParse(value, { reportInput: true });
}

/** Validates the parsed JSON of a geocoding answer, keeping the offending input in the issues. Does not throw. */
export function parseGeocodedPlaces(value: unknown): z.ZodSafeParseResult<GeocodedPlace[]> {
  return geocodedPlacesSchema.safeParse(value, { reportInput: true });
}

/** The body of a refusal. `cod` is a number for 401 and 429 and a string for 400, 404 and 5xx. */
export const apiErrorSchema = z.looseObject({
  cod: codSchema,
  message: z.string(),
});

/**
 * Validates parsed JSON against {@link currentWeatherSchema}, keeping the offending input in the issues so that
 * {@link describeIssue} can name it. Does not throw.
 */
export function parseCurrentWeather(value: unknown): z.ZodSafeParseResult<CurrentWeather> {
  return currentWeatherSchema.safeParse(value, { reportInput: true });
}

/** As {@link parseCurrentWeather}, for the answer of a history call; a wrong row is named as `list[3].main.temp`. */
export function parseCityHistory(value: unknown): z.ZodSafeParseResult<CityHistory> {
  return cityHistorySchema.safeParse(value, { reportInput: true });
}

/** As {@link parseCurrentWeather}, for one row of the history with its `city_id`. */
export function parseCityHistoryRow(value: unknown): z.ZodSafeParseResult<CityHistoryRow> {
  return cityHistoryRowSchema.safeParse(value, { reportInput: true });
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
