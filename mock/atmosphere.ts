/**
 * Owns the mock's physics: the state of the air over a city at a moment, believable and continuous, but no forecast. Its
 * wording as OpenWeatherMap conditions is `conditions.ts`'s, its dress as JSON `weather.ts`'s.
 */
import { type Climate, climateOf } from './climate.ts';
import { clamp, hashOf, noiseAt, smoothstep, unitOf } from './noise.ts';
import { type Coordinates, noonHeight, northernSeason, solarHour } from './solar.ts';

const hourSeconds = 3_600;
const daySeconds = 86_400;

export interface AtmosphereQuestion {
  /** The hash of the mock's seed. */
  seedHash: number;
  city: Coordinates & { id: number };
  atSeconds: number;
}

export interface Atmosphere {
  temperatureC: number;
  humidityPercent: number;
  seaLevelPressureHpa: number;
  groundPressureHpa: number;
  windSpeedMs: number;
  windDegrees: number;
  gustMs: number | undefined;
  cloudPercent: number;
  /** 0 when nothing falls. */
  rainMmPerHour: number;
  snowMmPerHour: number;
  thunder: boolean;
  visibilityM: number;
}

/** The slow causes everything else follows from. Each is smooth in time. */
interface Drivers {
  climate: Climate;
  /** 0 at the equator, 1 at the poles. */
  sinLat: number;
  hour: number;
  noise: (channel: Channel) => number;
  /** Passing highs (1) and lows (-1), over days. */
  pressureWave: number;
  /** 0 is settled and dry, 1 is a storm. */
  unsettled: number;
}

/** Each channel is a wave of its own; the number keys its noise, so changing one changes all weather of all seeds. */
const channels = {
  pressure: { key: 1, periodSeconds: 5 * daySeconds, octaves: 4 },
  moisture: { key: 2, periodSeconds: 22 * hourSeconds, octaves: 3 },
  airMass: { key: 3, periodSeconds: 6 * daySeconds, octaves: 4 },
  thermals: { key: 4, periodSeconds: 50 * 60, octaves: 2 },
  cloudPatches: { key: 5, periodSeconds: 3 * hourSeconds, octaves: 2 },
  showers: { key: 6, periodSeconds: 2 * hourSeconds, octaves: 2 },
  wind: { key: 7, periodSeconds: 8 * hourSeconds, octaves: 4 },
  windTurn: { key: 8, periodSeconds: 2 * daySeconds, octaves: 3 },
  gusts: { key: 9, periodSeconds: 90 * 60, octaves: 2 },
  dampness: { key: 10, periodSeconds: 9 * hourSeconds, octaves: 3 },
} as const;
type Channel = keyof typeof channels;
/** The draw of thunder, beside the channels: it is a chance by the hour, not a wave. */
const thunderKey = 11;

/** The air over a city at a moment. Depends on the seed, the city and the moment alone. */
export function atmosphereAt(question: AtmosphereQuestion): Atmosphere {
  const drivers = driversAt(question);
  const { climate, pressureWave, sinLat } = drivers;
  const seaLevelPressureHpa = clamp(1013 + (4 + 24 * sinLat) * pressureWave, 930, 1065);
  const cloudPercent = cloudsAt(drivers);
  const precipitation = precipitationAt(drivers, cloudPercent);
  const temperature = temperatureAt(question, drivers, cloudPercent, precipitation);
  const humidityPercent = humidityAt(drivers, temperature, precipitation);
  const wind = windAt(question.city.lat, drivers);
  const snowShare = 1 - smoothstep(-0.2, 1.8, temperature.celsius);
  return {
    temperatureC: temperature.celsius,
    humidityPercent,
    seaLevelPressureHpa,
    // The barometric formula with a scale height of 8,435 m.
    groundPressureHpa: seaLevelPressureHpa * Math.exp(-climate.elevationM / 8_435),
    ...wind,
    cloudPercent,
    rainMmPerHour: measurable(precipitation * (1 - snowShare)),
    snowMmPerHour: measurable(precipitation * snowShare),
    thunder: thunderAt(question, temperature.celsius, precipitation),
    visibilityM: visibilityAt(drivers, humidityPercent, precipitation, snowShare, wind.windSpeedMs),
  };
}

function driversAt({ seedHash, city, atSeconds }: AtmosphereQuestion): Drivers {
  const climate = climateOf(city);
  const noise = (channel: Channel) => {
    const { key, ...wave } = channels[channel];
    return noiseAt({ ...wave, key: hashOf(seedHash, city.id, key) }, atSeconds);
  };
  const sinLat = Math.sin((Math.abs(city.lat) * Math.PI) / 180);
  const hour = solarHour(atSeconds, city.lon);
  const pressureWave = clamp(1.7 * noise('pressure'), -1.3, 1.3);
  // Warm wet air rises in the afternoon: the daily shower of the tropics.
  const convection = 0.16 * climate.wetness * (1 - sinLat) * Math.cos(((hour - 16) * Math.PI) / 12);
  const unsettled = clamp(
    0.41 +
      0.5 * (climate.wetness - 0.5) -
      0.26 * pressureWave * sinLat +
      0.75 * noise('moisture') +
      convection,
    0,
    1,
  );
  return { climate, sinLat, hour, noise, pressureWave, unsettled };
}

function cloudsAt({ unsettled, noise }: Drivers): number {
  return clamp(100 * smoothstep(0.12, 0.72, unsettled) + 14 * noise('cloudPatches') - 4, 0, 100);
}

/** Millimetres of water an hour; 0 when it is dry. Rain begins and ends with the slow waves, so that it lasts for hours. */
function precipitationAt({ unsettled, sinLat, noise }: Drivers, cloudPercent: number): number {
  const threshold = 0.78;
  if (unsettled <= threshold || cloudPercent < 30) return 0;
  const strength = (unsettled - threshold) / (1 - threshold);
  return strength * strength * (2.3 + 3 * (1 - sinLat)) * (1 + 0.7 * noise('showers'));
}

/** OpenWeatherMap reports no traces: what it would round away does not fall. */
function measurable(mmPerHour: number): number {
  return mmPerHour < 0.1 ? 0 : mmPerHour;
}

interface Temperature {
  celsius: number;
  /** The parts that the humidity answers to, °C: warmer than the day's mean, warmer than the season. */
  dailyC: number;
  airMassC: number;
}

function temperatureAt(
  { city, atSeconds }: AtmosphereQuestion,
  { climate, sinLat, hour, noise }: Drivers,
  cloudPercent: number,
  precipitation: number,
): Temperature {
  const { elevationM, continentality, wetness, warmthC } = climate;
  const yearMeanC = 27.5 - 33 * sinLat * sinLat - 0.006 * elevationM + warmthC;
  const seasonalC = (4 + 28 * continentality) * sinLat * northernSeason(atSeconds) * Math.sign(city.lat);
  const sunshine = 0.1 + 0.9 * Math.max(0, noonHeight(atSeconds, city.lat));
  const clearness = 1 - 0.006 * cloudPercent;
  const dailyRangeC = (2 + 7 * continentality + 4 * (1 - wetness)) * sunshine * clearness;
  const dailyC = dailyRangeC * Math.cos(((hour - 14.7) * Math.PI) / 12);
  const airMassC = (2 + 8 * sinLat) * noise('airMass');
  const celsius =
    yearMeanC + seasonalC + dailyC + airMassC + 0.4 * noise('thermals') - Math.min(2, 0.6 * precipitation);
  return { celsius: clamp(celsius, -68, 56), dailyC, airMassC };
}

function humidityAt(drivers: Drivers, { dailyC, airMassC }: Temperature, precipitation: number): number {
  const { climate, unsettled, noise } = drivers;
  const relative =
    40 + 38 * climate.wetness + 30 * (unsettled - 0.4) - 3 * dailyC - 1.2 * airMassC + 12 * noise('dampness');
  return clamp(Math.max(relative, precipitation > 0 ? 84 + 6 * Math.min(2, precipitation) : 0), 4, 100);
}

function windAt(
  lat: number,
  { sinLat, hour, noise, pressureWave }: Drivers,
): Pick<Atmosphere, 'windSpeedMs' | 'windDegrees' | 'gustMs'> {
  const afternoon = 0.5 * Math.cos(((hour - 15) * Math.PI) / 12);
  const windSpeedMs = Math.max(
    0,
    (2.6 + 2.4 * sinLat) * (1 + 1.5 * noise('wind') - 0.4 * pressureWave) + afternoon,
  );
  const windDegrees = (((prevailingDegrees(lat) + 220 * noise('windTurn')) % 360) + 360) % 360;
  const gustiness = noise('gusts');
  const gustMs = windSpeedMs > 5 || gustiness > 0.3 ? windSpeedMs * (1.45 + 0.35 * gustiness) : undefined;
  return { windSpeedMs, windDegrees, gustMs };
}

/** Where the wind mostly comes from: trade winds, west winds, polar east winds. */
function prevailingDegrees(lat: number): number {
  const absoluteLat = Math.abs(lat);
  if (absoluteLat < 30) return lat >= 0 ? 60 : 120;
  return absoluteLat < 62 ? 250 : 80;
}

/** Thunder lives for an hour or so in heavy warm rain. */
function thunderAt(
  { seedHash, city, atSeconds }: AtmosphereQuestion,
  celsius: number,
  precipitation: number,
): boolean {
  const chance = celsius > 16 && precipitation > 1.5 ? 0.35 : 0;
  return unitOf(seedHash, city.id, thunderKey, Math.floor(atSeconds / hourSeconds)) < chance;
}

function visibilityAt(
  { climate, noise }: Drivers,
  humidityPercent: number,
  precipitation: number,
  snowShare: number,
  windSpeedMs: number,
): number {
  const hazeM = 10_000 * smoothstep(98.5, 89, humidityPercent);
  const calm = 1 - smoothstep(2, 4.5, windSpeedMs);
  const fogM = 10_000 - calm * (10_000 - hazeM);
  const rainM = 10_000 / (1 + precipitation * (0.06 + 0.8 * snowShare));
  const dust = climate.wetness < 0.13 ? smoothstep(7, 11, windSpeedMs) : 0;
  const dustM = 10_000 - 8_000 * dust * (0.8 + 0.2 * noise('gusts'));
  return clamp(Math.min(fogM, rainM, dustM), 60, 10_000);
}
