import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { currentWeatherSchema } from '../schemas/openweathermap.ts';
import { loadCities, type MockCity } from './cities.ts';
import { defaultStepSeconds, type MockWeather, observationTimesBetween, weatherAt } from './weather.ts';

const seed = 'hourglass';
const cities = loadCities(fileURLToPath(new URL('../sql/seed/locations.csv', import.meta.url)));
const cityNamed = (name: string): MockCity => cities.find((city) => city.name === name)!;
const january = Date.parse('2026-01-01T00:00:00Z') / 1000;
const hour = 3_600;

const anySeed = fc.string({ minLength: 1 });
const anyMoment = fc.integer({ min: 100_000, max: 7_200_000_000 });
const anyCity: fc.Arbitrary<MockCity> = fc.oneof(
  fc.constantFrom(...cities),
  fc.record({
    id: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    name: fc.string(),
    country: fc.constant('XX'),
    lat: fc.integer({ min: -900_000, max: 900_000 }).map((tenThousandths) => tenThousandths / 10_000),
    lon: fc.integer({ min: -1_800_000, max: 1_800_000 }).map((tenThousandths) => tenThousandths / 10_000),
    timezone: fc.constantFrom('UTC', 'Asia/Kathmandu', 'Pacific/Apia'),
  }),
);
const anyStep = fc.integer({ min: 1, max: 86_400 });

const years = new Map<string, MockWeather[]>();

/** The weather of every hour of a year of one city, reckoned once. */
function yearOf(city: MockCity): MockWeather[] {
  const known = years.get(city.name);
  if (known !== undefined) return known;
  const year = Array.from({ length: 365 * 24 }, (_, index) =>
    weatherAt({ seed, city, atSeconds: january + index * hour }),
  );
  years.set(city.name, year);
  return year;
}

function correlation(pairs: readonly (readonly [number, number])[]): number {
  const mean = (side: 0 | 1) => pairs.reduce((sum, pair) => sum + pair[side], 0) / pairs.length;
  const [meanA, meanB] = [mean(0), mean(1)];
  const sumOf = (term: (a: number, b: number) => number) =>
    pairs.reduce((sum, [a, b]) => sum + term(a - meanA, b - meanB), 0);
  return sumOf((a, b) => a * b) / Math.sqrt(sumOf((a) => a * a) * sumOf((_, b) => b * b));
}

describe('weatherAt', () => {
  test('the same seed, city and moment give the same weather', () => {
    fc.assert(
      fc.property(anySeed, anyCity, anyMoment, (anySeedText, city, atSeconds) => {
        const question = { seed: anySeedText, city, atSeconds };
        expect(weatherAt(question)).toEqual(weatherAt({ ...question, city: { ...city } }));
      }),
    );
  });

  test('the weather of a seed stays what it was', () => {
    expect(weatherAt({ seed, city: cityNamed('London'), atSeconds: january })).toMatchInlineSnapshot(`
      {
        "base": "stations",
        "clouds": {
          "all": 53,
        },
        "cod": 200,
        "coord": {
          "lat": 51.5085,
          "lon": -0.1257,
        },
        "dt": 1767225285,
        "id": 2643743,
        "main": {
          "feels_like": -3.45,
          "grnd_level": 1002,
          "humidity": 68,
          "pressure": 1007,
          "sea_level": 1007,
          "temp": 0.05,
          "temp_max": 0.4,
          "temp_min": -1.2,
        },
        "name": "London",
        "sys": {
          "country": "GB",
          "id": 2071887,
          "sunrise": 1767168362,
          "sunset": 1767196858,
          "type": 2,
        },
        "timezone": 0,
        "visibility": 10000,
        "weather": [
          {
            "description": "broken clouds",
            "icon": "04n",
            "id": 803,
            "main": "Clouds",
          },
        ],
        "wind": {
          "deg": 298,
          "speed": 1.25,
        },
      }
    `);
  });

  test('everything depends on dt alone: the past asked later is what the present was', () => {
    fc.assert(
      fc.property(anyCity, anyMoment, anyStep, (city, atSeconds, stepSeconds) => {
        const present = weatherAt({ seed, city, atSeconds, stepSeconds });
        expect(weatherAt({ seed, city, atSeconds: present.dt, stepSeconds })).toEqual(present);
        expect(weatherAt({ seed, city, atSeconds: present.dt + stepSeconds - 1, stepSeconds })).toEqual(
          present,
        );
        expect(weatherAt({ seed, city, atSeconds: present.dt, stepSeconds: 1 })).toEqual(present);
      }),
    );
  });

  test('dt is at most a step old, and the next step begins a step later', () => {
    fc.assert(
      fc.property(anyCity, anyMoment, anyStep, (city, atSeconds, stepSeconds) => {
        const { dt } = weatherAt({ seed, city, atSeconds, stepSeconds });
        expect(dt).toBeLessThanOrEqual(atSeconds);
        expect(dt).toBeGreaterThan(atSeconds - stepSeconds);
        expect(weatherAt({ seed, city, atSeconds: dt + stepSeconds, stepSeconds }).dt).toBe(dt + stepSeconds);
      }),
    );
  });

  test('every value is physically possible and of the type the API gives', () => {
    fc.assert(
      fc.property(anySeed, anyCity, anyMoment, (anySeedText, city, atSeconds) => {
        const { main, wind, clouds, rain, snow, visibility, weather, sys } = weatherAt({
          seed: anySeedText,
          city,
          atSeconds,
        });
        for (const temperature of [main.temp, main.temp_min, main.temp_max]) {
          expect(temperature).toBeGreaterThan(-70);
          expect(temperature).toBeLessThan(60);
        }
        expect(main.temp_min).toBeLessThanOrEqual(main.temp);
        expect(main.temp).toBeLessThanOrEqual(main.temp_max);
        for (const pressure of [main.pressure, main.sea_level]) {
          expect(pressure).toBeGreaterThanOrEqual(870);
          expect(pressure).toBeLessThanOrEqual(1085);
        }
        for (const percent of [main.humidity, clouds.all]) {
          expect(percent).toBeGreaterThanOrEqual(0);
          expect(percent).toBeLessThanOrEqual(100);
        }
        for (const whole of [main.pressure, main.humidity, main.grnd_level, visibility, wind.deg]) {
          expect(Number.isInteger(whole)).toBe(true);
        }
        expect(wind.speed).toBeGreaterThanOrEqual(0);
        expect(wind.deg).toBeGreaterThanOrEqual(0);
        expect(wind.deg).toBeLessThan(360);
        if ('gust' in wind) expect(wind.gust).toBeGreaterThanOrEqual(wind.speed);
        if (rain !== undefined) expect(rain['1h']).toBeGreaterThan(0);
        if (snow !== undefined) expect(snow['1h']).toBeGreaterThan(0);
        expect(visibility).toBeGreaterThan(0);
        expect(visibility).toBeLessThanOrEqual(10_000);
        expect(weather.length).toBeGreaterThanOrEqual(1);
        expect('sunrise' in sys).toBe('sunset' in sys);
      }),
      { numRuns: 500 },
    );
  });

  test('it satisfies the schema of the real API and survives JSON', () => {
    fc.assert(
      fc.property(anyCity, anyMoment, (city, atSeconds) => {
        const weather = weatherAt({ seed, city, atSeconds });
        expect(currentWeatherSchema.parse(JSON.parse(JSON.stringify(weather)))).toEqual(weather);
      }),
    );
  });

  test.each([
    ['London', -10, 35],
    ['Singapore', 18, 38],
    ['Yakutsk', -55, 38],
    ['Dubai', 5, 52],
    ['Quito', 0, 26],
  ])('a year in %s stays between %i and %i °C', (name, least, most) => {
    const temperatures = yearOf(cityNamed(name)).map((weather) => weather.main.temp);
    expect(Math.min(...temperatures)).toBeGreaterThan(least);
    expect(Math.max(...temperatures)).toBeLessThan(most);
  });

  test.each([
    ['London', 0.5],
    ['Sydney', -0.5],
  ])('in %s July against January differs in the sense of the hemisphere', (name, sense) => {
    const year = yearOf(cityNamed(name));
    const meanOf = (from: number) =>
      year.slice(from * 24, (from + 30) * 24).reduce((sum, weather) => sum + weather.main.temp, 0) / 720;
    expect((meanOf(181) - meanOf(0)) * Math.sign(sense)).toBeGreaterThan(8);
  });

  test('a day is warmer in the afternoon than before dawn', () => {
    const year = yearOf(cityNamed('Madrid'));
    const meanAt = (utcHour: number) =>
      year.filter((_, index) => index % 24 === utcHour).reduce((sum, weather) => sum + weather.main.temp, 0) /
      365;
    expect(meanAt(15) - meanAt(4)).toBeGreaterThan(4);
  });

  test('humidity falls when the temperature rises', () => {
    const july = yearOf(cityNamed('Berlin')).slice(181 * 24, 211 * 24);
    expect(correlation(july.map(({ main }) => [main.temp, main.humidity]))).toBeLessThan(-0.4);
  });

  test('what falls lasts for hours, and is rain or snow by the temperature', () => {
    const year = yearOf(cityNamed('Oslo'));
    const falls = year.map((weather) => weather.rain !== undefined || weather.snow !== undefined);
    const wetHours = falls.filter(Boolean).length;
    const beginnings = falls.filter((wet, index) => wet && !falls[index - 1]).length;
    expect(wetHours / year.length).toBeGreaterThan(0.03);
    expect(wetHours / year.length).toBeLessThan(0.3);
    expect(wetHours / beginnings).toBeGreaterThan(3);
    for (const { rain, snow, main } of year) {
      if (rain) expect(main.temp).toBeGreaterThan(-1);
      if (snow) expect(main.temp).toBeLessThan(2);
    }
  });

  test('deserts are dry', () => {
    const wetHours = yearOf(cityNamed('Cairo')).filter((weather) => weather.rain !== undefined).length;
    expect(wetHours).toBeLessThan(200);
  });

  test('a year holds gusts and calms, clear and covered skies, one condition and two', () => {
    const year = yearOf(cityNamed('London'));
    expect(year.some(({ wind }) => wind.gust === undefined)).toBe(true);
    expect(year.some(({ wind }) => wind.gust !== undefined)).toBe(true);
    expect(new Set(year.map(({ weather }) => weather.length))).toEqual(new Set([1, 2]));
    const groups = new Set(year.map(({ weather }) => weather[0]?.main));
    for (const group of ['Clear', 'Clouds', 'Rain']) expect(groups).toContain(group);
  });

  test('two moments ten minutes apart are alike', () => {
    fc.assert(
      fc.property(fc.constantFrom(...cities), anyMoment, (city, atSeconds) => {
        const [before, after] = [0, defaultStepSeconds].map((later) =>
          weatherAt({ seed, city, atSeconds: atSeconds + later }),
        );
        expect(Math.abs(before!.main.temp - after!.main.temp)).toBeLessThan(1.5);
        expect(Math.abs(before!.main.pressure - after!.main.pressure)).toBeLessThanOrEqual(2);
      }),
    );
  });

  test('the polar night has neither sunrise nor sunset and the icons of the night', () => {
    const { sys, weather } = weatherAt({
      seed,
      city: cityNamed('Longyearbyen'),
      atSeconds: january + 12 * hour,
    });
    expect(Object.keys(sys)).not.toContain('sunrise');
    expect(weather[0]?.icon).toMatch(/n$/);
  });

  test('timezone is the offset of the zone at the moment', () => {
    const adelaide = cityNamed('Adelaide');
    expect(weatherAt({ seed, city: adelaide, atSeconds: january }).timezone).toBe(37_800);
    expect(weatherAt({ seed, city: adelaide, atSeconds: january + 180 * 86_400 }).timezone).toBe(34_200);
  });

  test('another seed is another weather', () => {
    const city = cityNamed('London');
    expect(weatherAt({ seed: 'a', city, atSeconds: january })).not.toEqual(
      weatherAt({ seed: 'b', city, atSeconds: january }),
    );
  });

  test.each([0, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])('the step %d is refused', (stepSeconds) => {
    expect(() => weatherAt({ seed, city: cityNamed('London'), atSeconds: 1, stepSeconds })).toThrow(
      /stepSeconds is/,
    );
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY])('the moment %d is refused', (atSeconds) => {
    expect(() => weatherAt({ seed, city: cityNamed('London'), atSeconds })).toThrow(RangeError);
  });
});

describe('the steps of the cities', () => {
  test('in every minute some city has a new dt', () => {
    for (let minute = 0; minute < 10; minute += 1) {
      const from = january + minute * 60;
      const moved = cities.filter(
        ({ id }) =>
          observationTimesBetween({ seed, cityId: id, fromSeconds: from, toSeconds: from + 60 }).length > 0,
      );
      expect(moved.length).toBeGreaterThan(0);
      expect(moved.length).toBeLessThan(cities.length / 2);
    }
  });

  test('cities differ in their offset', () => {
    const offsets = cities.map(
      (city) => weatherAt({ seed, city, atSeconds: january }).dt % defaultStepSeconds,
    );
    expect(new Set(offsets).size).toBeGreaterThan(40);
  });
});

describe('observationTimesBetween', () => {
  test('it names every dt that asking each second would have shown, and no other', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...cities),
        fc.integer({ min: 1, max: 4_000_000_000 }),
        fc.integer({ min: 0, max: 400 }),
        fc.integer({ min: 1, max: 90 }),
        (city, fromSeconds, length, stepSeconds) => {
          const toSeconds = fromSeconds + length;
          const shown = new Set<number>();
          for (let atSeconds = fromSeconds; atSeconds < toSeconds; atSeconds += 1) {
            const { dt } = weatherAt({ seed, city, atSeconds, stepSeconds });
            if (dt >= fromSeconds) shown.add(dt);
          }
          const times = observationTimesBetween({
            seed,
            cityId: city.id,
            fromSeconds,
            toSeconds,
            stepSeconds,
          });
          expect(times).toEqual([...shown]);
        },
      ),
      { numRuns: 20 },
    );
  });

  test('neighbouring ranges join without gap or overlap', () => {
    fc.assert(
      fc.property(anyMoment, fc.nat(50_000), fc.nat(50_000), (from, first, second) => {
        const between = (fromSeconds: number, toSeconds: number) =>
          observationTimesBetween({ seed, cityId: 2643743, fromSeconds, toSeconds });
        expect([...between(from, from + first), ...between(from + first, from + first + second)]).toEqual(
          between(from, from + first + second),
        );
      }),
    );
  });

  test('an hour holds six observations by default', () => {
    for (const { id } of cities) {
      expect(
        observationTimesBetween({ seed, cityId: id, fromSeconds: january, toSeconds: january + hour }),
      ).toHaveLength(6);
    }
  });

  test('an empty or reversed range holds none', () => {
    expect(observationTimesBetween({ seed, cityId: 1, fromSeconds: january, toSeconds: january })).toEqual(
      [],
    );
    expect(
      observationTimesBetween({ seed, cityId: 1, fromSeconds: january, toSeconds: january - hour }),
    ).toEqual([]);
  });
});
