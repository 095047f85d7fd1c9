import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  answerOf,
  cityNamed,
  jsonOf,
  mockCities,
  mockNowMs,
  mockSeed,
} from '../tests/support/mock-routes.ts';
import { newestObservationTime } from './publication.ts';
import { weatherAt } from './weather.ts';

const path = '/data/2.5/weather';
const anyCity = fc.constantFrom(...mockCities);

/** Every attribute of an XML answer by "element.attribute"; fails when its elements do not nest. */
function attributesOf(xml: string): Record<string, string> {
  const open: string[] = [];
  const found: Record<string, string> = {};
  for (const [, closing, name, attributes = '', short] of xml
    .replace(/^<\?xml[^>]*\?>\n/, '')
    .matchAll(/<(\/?)([a-z_A-Z]+)((?: [a-zA-Z]+="[^"<]*")*)(\/?)>/g)) {
    if (closing) expect(open.pop()).toBe(name);
    else if (!short) open.push(name!);
    for (const [, key, value] of attributes.matchAll(/ ([a-zA-Z]+)="([^"]*)"/g))
      found[`${name}.${key}`] = value!;
  }
  expect(open).toEqual([]);
  return found;
}

describe('the current weather', () => {
  test('is the newest observation that is published', () => {
    fc.assert(
      fc.property(anyCity, fc.nat(86_400_000), (city, laterMs) => {
        const nowMs = mockNowMs + laterMs;
        const dt = newestObservationTime({ seed: mockSeed, cityId: city.id, atSeconds: nowMs / 1000 });
        expect(jsonOf(path, `id=${city.id}&units=metric`, nowMs)).toEqual(
          weatherAt({ seed: mockSeed, city, atSeconds: dt }),
        );
      }),
    );
  });

  test('asked by coordinates it echoes them, with the weather of the nearest city', () => {
    const byPlace = jsonOf(path, 'lat=51.00001&lon=-0.99999');
    expect(byPlace.coord).toEqual({ lat: 51, lon: -1 });
    expect({ ...byPlace, coord: null }).toEqual({ ...jsonOf(path, 'q=London'), coord: null });
  });

  test.each([
    ['de', 'Überwiegend bewölkt'],
    ['es', 'muy nuboso'],
    ['sp', 'muy nuboso'],
    ['fr', 'nuageux'],
    ['IT', 'nubi sparse'],
    ['ja', 'broken clouds'],
    ['constructor', 'broken clouds'],
  ])('in the language %s broken clouds are "%s"', (lang, description) => {
    const broken = mockCities.find(({ id }) => jsonOf(path, `id=${id}`).weather[0].id === 803)!;
    expect(jsonOf(path, `id=${broken.id}&lang=${lang}`).weather[0].description).toBe(description);
  });

  test('as XML it says the same', () => {
    fc.assert(
      fc.property(anyCity, fc.constantFrom('standard', 'metric', 'imperial'), ({ id }, units) => {
        const { body, contentType } = answerOf(path, `id=${id}&units=${units}&mode=xml`);
        expect(contentType).toBe('application/xml; charset=utf-8');
        const weather = jsonOf(path, `id=${id}&units=${units}`);
        const fallen = weather.snow ?? weather.rain;
        expect(attributesOf(body)).toMatchObject({
          'city.id': String(id),
          'temperature.value': String(weather.main.temp),
          'temperature.unit': { standard: 'kelvin', metric: 'celsius', imperial: 'fahrenheit' }[units],
          'feels_like.value': String(weather.main.feels_like),
          'humidity.value': String(weather.main.humidity),
          'pressure.value': String(weather.main.pressure),
          'speed.value': String(weather.wind.speed),
          'speed.unit': units === 'imperial' ? 'mph' : 'm/s',
          'direction.value': String(weather.wind.deg),
          'clouds.value': String(weather.clouds.all),
          'precipitation.mode': weather.snow ? 'snow' : weather.rain ? 'rain' : 'no',
          ...(fallen && { 'precipitation.value': String(fallen['1h']) }),
          'weather.number': String(weather.weather[0].id),
          'lastupdate.value': new Date(weather.dt * 1000).toISOString().slice(0, 19),
        });
      }),
    );
  });

  test('a forecast as XML has a time element a row', () => {
    const { body, contentType } = answerOf('/data/2.5/forecast', 'q=Oslo&cnt=8&mode=xml&units=metric');
    expect(contentType).toBe('application/xml; charset=utf-8');
    expect(attributesOf(body)).toMatchObject({
      'location.geobaseid': '3143244',
      'temperature.unit': 'celsius',
    });
    expect(body.match(/<time from="[^"]+" to="[^"]+">/g)).toHaveLength(8);
  });

  test('as HTML it shows the city and the temperature, whatever the name of the city holds', () => {
    const { body, contentType } = answerOf(path, `id=${cityNamed("St. John's").id}&units=metric&mode=html`);
    expect(contentType).toBe('text/html; charset=utf-8');
    expect(body).toContain("<h1>St. John's</h1>");
    expect(body).toMatch(/<p>-?[\d.]+ celsius<\/p>/);
  });

  test('a refusal is JSON in every mode', () => {
    const { body, contentType } = answerOf(path, 'q=Atlantis&mode=xml');
    expect(contentType).toBeUndefined();
    expect(JSON.parse(body)).toEqual({ cod: '404', message: 'city not found' });
  });
});
