/** Owns what falls in a forecast's span of time, and how probable the forecast calls it. */
import type { MockCity } from './cities.ts';
import { momentWeather } from './moments.ts';
import { clamp } from './noise.ts';
import type { MockWorld } from './route.ts';
import { hundredths, type MockWeather } from './weather.ts';

export interface Fallen {
  /** Millimetres; 0 when nothing fell. */
  rainMm: number;
  snowMm: number;
}

/** Reckons each hour's rate as the hour's sum. */
export function fallenIn(hours: readonly Pick<MockWeather, 'rain' | 'snow'>[]): Fallen {
  const sumOf = (kind: 'rain' | 'snow') => hours.reduce((sum, hour) => sum + (hour[kind]?.['1h'] ?? 0), 0);
  return { rainMm: hundredths(sumOf('rain')), snowMm: hundredths(sumOf('snow')) };
}

/** What falls in the hours that end at the weather's `dt`. */
export function fallenBefore(
  weather: MockWeather,
  hours: number,
  city: MockCity,
  world: Pick<MockWorld, 'seed'>,
): Fallen {
  const earlier = Array.from({ length: hours - 1 }, (_, index) =>
    momentWeather(city, weather.dt - (index + 1) * 3_600, world),
  );
  return fallenIn([weather, ...earlier]);
}

/**
 * The probability that a forecast gives, 0 to 1. The mock knows what will fall, but a forecast that is always sure would be
 * none: little rain is uncertain, and thick clouds alone keep a remainder.
 */
export function probabilityOf({ rainMm, snowMm }: Fallen, cloudPercent: number): number {
  const fallenMm = rainMm + snowMm;
  if (fallenMm === 0) return hundredths(clamp((cloudPercent - 70) / 200, 0, 1));
  return hundredths(clamp(0.3 + 0.35 * fallenMm, 0, 1));
}
