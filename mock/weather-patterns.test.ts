/** What holds the mock's weather together over days: fronts, clouds, fog. The single observation is weather.test.ts's. */
import { describe, expect, test } from 'vitest';
import { cityNamed, mockSeed } from '../tests/support/mock-routes.ts';
import { momentWeather } from './moments.ts';
import type { MockWeather } from './weather.ts';

const january = Date.parse('2026-01-01T00:00:00Z') / 1000;
const years = new Map<string, MockWeather[]>();

/** Every hour of a year of one city, reckoned once. */
function yearOf(name: string): MockWeather[] {
  const known = years.get(name);
  if (known !== undefined) return known;
  const year = Array.from({ length: 365 * 24 }, (_, index) =>
    momentWeather(cityNamed(name), january + index * 3_600, { seed: mockSeed }),
  );
  years.set(name, year);
  return year;
}

function meanOf(hours: readonly MockWeather[], value: (hour: MockWeather) => number): number {
  return hours.reduce((sum, hour) => sum + value(hour), 0) / hours.length;
}

const isWet = ({ rain, snow }: MockWeather) => rain !== undefined || snow !== undefined;

/** The difference of the day's extremes, with the mean of the day's clouds. */
function daysOf(year: readonly MockWeather[]): { range: number; clouds: number }[] {
  return Array.from({ length: 365 }, (_, day) => {
    const hours = year.slice(day * 24, (day + 1) * 24);
    const temperatures = hours.map(({ main }) => main.temp);
    return {
      range: Math.max(...temperatures) - Math.min(...temperatures),
      clouds: meanOf(hours, ({ clouds }) => clouds.all),
    };
  });
}

describe('lows and highs', () => {
  test('away from the tropics rain and wind come with low pressure', () => {
    for (const name of ['London', 'Oslo', 'Ushuaia']) {
      const year = yearOf(name);
      const [wet, dry] = [year.filter(isWet), year.filter((hour) => !isWet(hour))];
      const pressure = ({ main }: MockWeather) => main.pressure;
      expect(meanOf(wet, pressure)).toBeLessThan(meanOf(dry, pressure) - 4);
      const [low, high] = [
        year.filter(({ main }) => main.pressure < 1_000),
        year.filter(({ main }) => main.pressure > 1_025),
      ];
      expect(meanOf(low, ({ wind }) => wind.speed)).toBeGreaterThan(
        1.3 * meanOf(high, ({ wind }) => wind.speed),
      );
    }
  });

  test('the pressure of the tropics hardly moves, that of the north moves over days', () => {
    const spreadOf = (name: string) => {
      const pressures = yearOf(name).map(({ main }) => main.pressure);
      return Math.max(...pressures) - Math.min(...pressures);
    };
    expect(spreadOf('Singapore')).toBeLessThan(15);
    expect(spreadOf('Oslo')).toBeGreaterThan(40);
    const oslo = yearOf('Oslo').map(({ main }) => main.pressure);
    const change = (hours: number) =>
      oslo.slice(hours).reduce((sum, value, index) => sum + Math.abs(value - oslo[index]!), 0) / oslo.length;
    expect(change(48)).toBeGreaterThan(5 * change(1));
  });
});

describe('clouds', () => {
  test('nothing falls from a clear sky, and what falls makes the air damp', () => {
    for (const { clouds, main } of [...yearOf('London'), ...yearOf('Manaus')].filter(isWet)) {
      expect(clouds.all).toBeGreaterThanOrEqual(30);
      expect(main.humidity).toBeGreaterThanOrEqual(84);
    }
  });

  test('a covered day differs less from its night than a clear one', () => {
    const days = daysOf(yearOf('Madrid'));
    const rangeOf = (some: typeof days) => some.reduce((sum, { range }) => sum + range, 0) / some.length;
    const [clear, covered] = [
      days.filter(({ clouds }) => clouds < 25),
      days.filter(({ clouds }) => clouds > 75),
    ];
    expect(rangeOf(clear)).toBeGreaterThan(1.2 * rangeOf(covered));
  });
});

test('mist and fog are damp, and calm unless snow falls', () => {
  const veiled = [...yearOf('London'), ...yearOf('Manaus')].filter(({ weather }) =>
    weather.some(({ id }) => id === 701 || id === 741),
  );
  expect(veiled.length).toBeGreaterThan(100);
  for (const { main, wind, snow } of veiled) {
    expect(main.humidity).toBeGreaterThan(88);
    if (snow === undefined) expect(wind.speed).toBeLessThan(4.5);
  }
});

test('the sun decides between the icons of day and night', () => {
  for (const { sys, dt, weather } of yearOf('London')) {
    // Sunrise and sunset are good to a few minutes.
    if (dt > sys.sunrise! + 600 && dt < sys.sunset! - 600) expect(weather[0]!.icon).toMatch(/d$/);
    if (dt < sys.sunrise! - 600 || dt > sys.sunset! + 600) expect(weather[0]!.icon).toMatch(/n$/);
  }
});
