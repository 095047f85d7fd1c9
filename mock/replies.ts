/** Owns what the mock's routes answer with, and the exact bodies of OpenWeatherMap's refusals. */

export interface MockReply {
  status: number;
  /** JSON text. */
  body: string;
}

export function jsonReply(value: object): MockReply {
  return { status: 200, body: JSON.stringify(value) };
}

/** Spaces and all as the API sends it; `cod` is a number here and a string in every other refusal. */
export const unauthorizedReply: MockReply = {
  status: 401,
  body: '{"cod":401, "message": "Invalid API key. Please see https://openweathermap.org/faq#error401 for more info."}',
};

export const cityNotFoundReply: MockReply = refusal(404, 'city not found');
export const unknownPathReply: MockReply = refusal(404, 'Internal error');
export const nothingToGeocodeReply: MockReply = refusal(400, 'Nothing to geocode');
export const wrongLatitudeReply: MockReply = refusal(400, 'wrong latitude');
export const wrongLongitudeReply: MockReply = refusal(400, 'wrong longitude');

export function notACityIdReply(text: string): MockReply {
  return refusal(400, `${text} is not a city ID`);
}

export function internalErrorReply(reason: string): MockReply {
  return refusal(500, reason);
}

function refusal(status: number, message: string): MockReply {
  return { status, body: JSON.stringify({ cod: String(status), message }) };
}
