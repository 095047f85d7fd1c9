/** Owns what the mock's routes answer with, and the exact bodies of OpenWeatherMap's refusals. */

export interface MockReply {
  status: number;
  body: string;
  /** Absent for JSON. */
  contentType?: string;
  /** The time of the present observation that it tells, Unix seconds; absent when it tells none. */
  dt?: number;
}

export function jsonReply(value: object): MockReply {
  return { status: 200, body: JSON.stringify(value) };
}

export function xmlReply(body: string): MockReply {
  return { status: 200, body, contentType: 'application/xml; charset=utf-8' };
}

export function htmlReply(body: string): MockReply {
  return { status: 200, body, contentType: 'text/html; charset=utf-8' };
}

/** Spaces and all as the API sends it; `cod` is a number here and a string in every other refusal. */
export const unauthorizedReply: MockReply = {
  status: 401,
  body: '{"cod":401, "message": "Invalid API key. Please see https://openweathermap.org/faq#error401 for more info."}',
};

export const cityNotFoundReply: MockReply = refusal(404, 'city not found');
/** Geocoding's own words for a postal code that nobody has. */
export const notFoundReply: MockReply = refusal(404, 'not found');
export const unknownPathReply: MockReply = refusal(404, 'Internal error');
export const nothingToGeocodeReply: MockReply = refusal(400, 'Nothing to geocode');
export const badQueryReply: MockReply = refusal(400, 'bad query');
export const wrongLatitudeReply: MockReply = refusal(400, 'wrong latitude');
export const wrongLongitudeReply: MockReply = refusal(400, 'wrong longitude');
export const invalidIdReply: MockReply = refusal(400, 'Invalid ID');
export const invalidZipReply: MockReply = refusal(400, 'invalid zip code');
export const outOfRangeReply: MockReply = refusal(400, 'requested time is out of allowed range');

export function notACityIdReply(text: string): MockReply {
  return refusal(400, `${text} is not a city ID`);
}

/** `cnt from 1 to 17` are the API's words. */
export function wrongCountReply(most: number): MockReply {
  return refusal(400, `cnt from 1 to ${most}`);
}

/** For a parameter that is missing or unreadable, where the API's own words are not known. */
export function wrongParameterReply(name: string): MockReply {
  return refusal(400, `wrong ${name}`);
}

export function internalErrorReply(reason: string): MockReply {
  return refusal(500, reason);
}

function refusal(status: number, message: string): MockReply {
  return { status, body: JSON.stringify({ cod: String(status), message }) };
}
