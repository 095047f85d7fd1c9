/**
 * Owns the quality of the mock's air: what a city's traffic, its season and its weather put into it at a moment, as
 * OpenWeatherMap tells it. https://openweathermap.org/api/air-pollution
 */
import { type Atmosphere, atmosphereAt } from './atmosphere.ts';
import type { MockCity } from './cities.ts';
import { climateOf } from './climate.ts';
import { clamp, hashOf, hashOfText, noiseAt, unitOf } from './noise.ts';
import { solarHour, sunHeight } from './solar.ts';
import { hundredths } from './weather.ts';

/** µg/m³ */
export interface AirComponents {
  co: number;
  no: number;
  no2: number;
  o3: number;
  so2: number;
  pm2_5: number;
  pm10: number;
  nh3: number;
}

export interface AirQuality {
  /** 1 is good, 5 very poor. */
  main: { aqi: 1 | 2 | 3 | 4 | 5 };
  components: AirComponents;
  /** Unix seconds. */
  dt: number;
}

/** How much of everything a city lets out, where its id alone does not tell: 0 is a hut in the Arctic, 1 the worst. */
const knownEmissions: ReadonlyMap<number, number> = new Map([
  [112931, 0.8], // Tehran
  [1185241, 0.95], // Dhaka
  [1273294, 1], // Delhi
  [1816670, 0.8], // Beijing
  [360630, 0.8], // Cairo
  [2332459, 0.8], // Lagos
  [3530597, 0.65], // Mexico City
  [2729907, 0.02], // Longyearbyen
  [3421319, 0.05], // Nuuk
  [4020109, 0.02], // Atuona
  [4032804, 0.02], // Waitangi
]);

/** The noise of the air, beside the channels of the atmosphere. */
const airKey = 14;
const daySeconds = 86_400;

export interface AirQuestion {
  seed: string;
  city: MockCity;
  atSeconds: number;
}

/** The air of a city at a moment. Depends on the seed, the city and the moment alone. */
export function airQualityAt(question: AirQuestion): AirQuality {
  const components = componentsAt(question);
  return { main: { aqi: indexOf(components) }, components, dt: question.atSeconds };
}

function componentsAt({ seed, city, atSeconds }: AirQuestion): AirComponents {
  const seedHash = hashOfText(seed);
  const air = atmosphereAt({ seedHash, city, atSeconds });
  const emission = knownEmissions.get(city.id) ?? 0.15 + 0.35 * unitOf(city.id);
  const key = hashOf(seedHash, city.id, airKey);
  const days = Math.exp(0.6 * noiseAt({ key, periodSeconds: 4 * daySeconds, octaves: 3 }, atSeconds));
  const concentrated = emission * days * stagnation(air);
  const traffic = concentrated * rushHour(solarHour(atSeconds, city.lon));
  const heating = clamp((18 - air.temperatureC) / 25, 0, 1);
  const sunshine = Math.max(0, sunHeight(atSeconds, city)) * (1 - 0.006 * air.cloudPercent);
  const nitrogenDioxide = 3 + 42 * traffic;
  // Where much is burnt it is burnt badly: dust grows faster than the rest.
  const fineDust = 2.5 + concentrated * (0.4 + 3 * emission) * (22 + 38 * heating);
  const desertDust = (1 - climateOf(city).wetness) ** 3 * 45 * clamp((air.windSpeedMs - 3) / 6, 0, 1);
  return {
    co: hundredths(180 + 620 * traffic + 420 * concentrated * heating),
    // The sun turns nitrogen monoxide and oxygen into the dioxide and back: little is left of it where ozone is.
    no: hundredths(14 * traffic ** 2 * (1 - 0.8 * sunshine)),
    no2: hundredths(nitrogenDioxide),
    o3: hundredths(clamp(48 + 75 * sunshine - 0.6 * nitrogenDioxide * (1 - sunshine), 1, 240)),
    so2: hundredths(0.6 + 14 * concentrated * (0.4 + heating)),
    pm2_5: hundredths(fineDust + 0.15 * desertDust),
    pm10: hundredths(1.45 * fineDust + desertDust),
    nh3: hundredths(0.4 + 6 * emission * days * clamp(air.temperatureC / 25, 0.1, 1.4)),
  };
}

/** Wind carries away and rain washes out what calm dry air collects. */
function stagnation({ windSpeedMs, rainMmPerHour, snowMmPerHour }: Atmosphere): number {
  const washed = 1 / (1 + 0.5 * (rainMmPerHour + snowMmPerHour));
  return (1.5 / (1 + 0.28 * windSpeedMs)) * washed;
}

/** Two crests a day, at eight and at six, above the traffic of the night. */
function rushHour(hour: number): number {
  const crest = (at: number) => Math.exp(-(((hour - at) / 2.2) ** 2));
  return 0.45 + 0.8 * crest(8) + 0.75 * crest(18);
}

/** Where each index begins. https://openweathermap.org/air-pollution-index-levels */
const indexBegins: readonly (readonly [component: keyof AirComponents, from: readonly number[]])[] = [
  ['so2', [20, 80, 250, 350]],
  ['no2', [40, 70, 150, 200]],
  ['pm10', [20, 50, 100, 200]],
  ['pm2_5', [10, 25, 50, 75]],
  ['o3', [60, 100, 140, 180]],
  ['co', [4_400, 9_400, 12_400, 15_400]],
];

/** The worst of the components decides. */
function indexOf(components: AirComponents): AirQuality['main']['aqi'] {
  const levels = indexBegins.map(
    ([component, from]) => 1 + from.filter((limit) => components[component] >= limit).length,
  );
  return Math.max(...levels) as AirQuality['main']['aqi'];
}
