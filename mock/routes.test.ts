import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { answerOf, mockCities, mockNowMs } from '../tests/support/mock-routes.ts';
import { answerShapes, refusalShape } from '../tests/support/openweathermap-shapes.ts';
import { routes } from './routes.ts';

const paths = [...routes.keys()];
const anyPath = fc.constantFrom(...paths);
const anyCity = fc.constantFrom(...mockCities);
const nowSeconds = Math.floor(mockNowMs / 1000);

/** A place in every way that some path takes; the city's id and its country may be left out. */
const anyPlace = fc
  .record({ city: anyCity, zip: fc.constantFrom('94040,us', 'E14, GB', '10001'), bare: fc.boolean() })
  .map(({ city: { id, name, country, lat, lon }, zip, bare }) => ({
    lat: String(lat),
    lon: String(lon),
    zip,
    ...(bare ? { q: name } : { q: `${name},${country}`, id: String(id) }),
  }));

/** The parameters that some path needs or takes, all of them right. */
const goodParameters = fc
  .record({
    place: anyPlace,
    units: fc.constantFrom('standard', 'metric', 'imperial', 'other'),
    lang: fc.constantFrom('en', 'de', 'es', 'fr', 'it', 'zh_cn', 'xx'),
    cnt: fc.integer({ min: 1, max: 17 }),
    start: fc.integer({ min: nowSeconds - 30 * 86_400, max: nowSeconds }),
    length: fc.integer({ min: 0, max: 20 * 86_400 }),
  })
  .map(({ place, units, lang, cnt, start, length }) => ({
    ...place,
    units,
    lang,
    cnt: String(cnt),
    limit: String(cnt),
    type: 'hour',
    start: String(start),
    end: String(start + length),
    dt: String(start),
    date: new Date(mockNowMs).toISOString().slice(0, 10),
  }));

const parameterNames = [
  ...['id', 'q', 'zip', 'lat', 'lon', 'units', 'lang', 'mode', 'cnt', 'limit', 'type'],
  ...['start', 'end', 'dt', 'date', 'tz', 'exclude'],
];
const anyValue = fc.oneof(
  fc.string(),
  fc.integer().map(String),
  fc.double().map(String),
  fc.constantFrom(
    '',
    '0',
    '-1',
    '1e3',
    '0x10',
    'London',
    'London,GB',
    '94040,us',
    'hour',
    'xml',
    'html',
    '%',
  ),
);
const anyParameters = fc.dictionary(fc.constantFrom(...parameterNames), anyValue, { maxKeys: 8 });

describe('the paths of the mock', () => {
  test('every path has a documented shape', () => {
    expect(Object.keys(answerShapes)).toEqual(paths);
  });

  test.each(paths)('%s answers every good question in its shape', (path) => {
    fc.assert(
      fc.property(goodParameters, (parameters) => {
        const { status, body, contentType } = answerOf(path, new URLSearchParams(parameters).toString());
        expect(contentType).toBeUndefined();
        expect(status).toBe(/group|box/.test(path) ? 401 : 200);
        if (status === 200) answerShapes[path]!.parse(JSON.parse(body));
      }),
      { numRuns: 30 },
    );
  });

  test('any question at all has a well-formed answer, its cod the status', () => {
    fc.assert(
      fc.property(anyPath, anyParameters, (path, parameters) => {
        const { status, body, contentType } = answerOf(path, new URLSearchParams(parameters).toString());
        if (contentType !== undefined) {
          expect({ status, beginning: body.slice(0, 5) }).toEqual({
            status: 200,
            beginning: contentType.startsWith('text/html') ? '<!DOC' : '<?xml',
          });
        } else if (status === 200) {
          answerShapes[path]!.parse(JSON.parse(body));
        } else {
          expect(Number(refusalShape.parse(JSON.parse(body)).cod)).toBe(status);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test('the same question at the same moment has the same answer', () => {
    fc.assert(
      fc.property(anyPath, goodParameters, (path, parameters) => {
        const query = new URLSearchParams(parameters).toString();
        expect(answerOf(path, query)).toEqual(answerOf(path, query));
      }),
      { numRuns: 50 },
    );
  });

  test.each(paths)('%s refuses a question without a place in the words of the API', (path) => {
    const { status, body } = answerOf(path, '');
    if (/group|box/.test(path)) return expect(status).toBe(401);
    expect({ status, body }).toEqual({ status: 400, body: '{"cod":"400","message":"Nothing to geocode"}' });
  });

  test.each(paths.filter((path) => !/group|box|direct|zip/.test(path)))(
    '%s refuses impossible coordinates in the words of the API',
    (path) => {
      expect(answerOf(path, 'lat=91&lon=0').body).toBe('{"cod":"400","message":"wrong latitude"}');
      expect(answerOf(path, 'lat=0&lon=x').body).toBe('{"cod":"400","message":"wrong longitude"}');
    },
  );
});
