/**
 * Owns the wording of the mock's weather in OpenWeatherMap's conditions: which ids an atmosphere earns, and their texts and
 * icons. https://openweathermap.org/weather-conditions
 */
import type { Atmosphere } from './atmosphere.ts';

export interface Condition {
  id: number;
  main: string;
  description: string;
  icon: string;
}

/** id → group, description and the icon without its day or night letter. Only the ids this mock gives. */
const catalogue = {
  200: ['Thunderstorm', 'thunderstorm with light rain', '11'],
  201: ['Thunderstorm', 'thunderstorm with rain', '11'],
  202: ['Thunderstorm', 'thunderstorm with heavy rain', '11'],
  300: ['Drizzle', 'light intensity drizzle', '09'],
  500: ['Rain', 'light rain', '10'],
  501: ['Rain', 'moderate rain', '10'],
  502: ['Rain', 'heavy intensity rain', '10'],
  503: ['Rain', 'very heavy rain', '10'],
  520: ['Rain', 'light intensity shower rain', '09'],
  521: ['Rain', 'shower rain', '09'],
  600: ['Snow', 'light snow', '13'],
  601: ['Snow', 'snow', '13'],
  602: ['Snow', 'heavy snow', '13'],
  615: ['Snow', 'light rain and snow', '13'],
  616: ['Snow', 'rain and snow', '13'],
  701: ['Mist', 'mist', '50'],
  721: ['Haze', 'haze', '50'],
  741: ['Fog', 'fog', '50'],
  761: ['Dust', 'dust', '50'],
  800: ['Clear', 'clear sky', '01'],
  801: ['Clouds', 'few clouds', '02'],
  802: ['Clouds', 'scattered clouds', '03'],
  803: ['Clouds', 'broken clouds', '04'],
  804: ['Clouds', 'overcast clouds', '04'],
} as const satisfies Record<number, readonly [string, string, string]>;
type ConditionId = keyof typeof catalogue;

/**
 * One condition or two, the primary one first: what falls, and beside it what takes the view; with neither, the clouds.
 * `daylight` chooses between the icons of day and night.
 */
export function conditionsOf(atmosphere: Atmosphere, daylight: boolean): [Condition, ...Condition[]] {
  const falling = fallingId(atmosphere);
  const veil = veilId(atmosphere);
  const first = falling ?? veil ?? cloudId(atmosphere.cloudPercent);
  const conditions: [Condition, ...Condition[]] = [conditionOf(first, daylight)];
  if (falling !== undefined && veil !== undefined) conditions.push(conditionOf(veil, daylight));
  return conditions;
}

/** What the clouds alone are called. */
export function cloudDescription(cloudPercent: number): string {
  return catalogue[cloudId(cloudPercent)][1];
}

function conditionOf(id: ConditionId, daylight: boolean): Condition {
  const [main, description, icon] = catalogue[id];
  return { id, main, description, icon: `${icon}${daylight ? 'd' : 'n'}` };
}

function fallingId({
  rainMmPerHour,
  snowMmPerHour,
  cloudPercent,
  thunder,
}: Atmosphere): ConditionId | undefined {
  if (snowMmPerHour > 0 && rainMmPerHour > 0) return snowMmPerHour + rainMmPerHour < 0.6 ? 615 : 616;
  if (snowMmPerHour > 0) return snowMmPerHour < 0.5 ? 600 : snowMmPerHour < 1.5 ? 601 : 602;
  if (rainMmPerHour === 0) return undefined;
  if (thunder) return rainMmPerHour < 2.5 ? 200 : rainMmPerHour < 7 ? 201 : 202;
  if (cloudPercent < 90) return rainMmPerHour < 1 ? 520 : 521;
  return rainId(rainMmPerHour);
}

/** OpenWeatherMap does not publish its limits; these are the usual ones of meteorology (AMS glossary) and drizzle below. */
function rainId(mmPerHour: number): ConditionId {
  if (mmPerHour < 0.2) return 300;
  if (mmPerHour < 1) return 500;
  if (mmPerHour < 4) return 501;
  return mmPerHour < 16 ? 502 : 503;
}

/** What is in the air and takes the view: fog below a kilometre, mist below five, dust and haze in dry air. */
function veilId({ visibilityM, humidityPercent, windSpeedMs }: Atmosphere): ConditionId | undefined {
  if (visibilityM >= 5_000) return undefined;
  if (humidityPercent < 50) return windSpeedMs > 7 ? 761 : 721;
  return visibilityM < 1_000 ? 741 : 701;
}

function cloudId(cloudPercent: number): ConditionId {
  if (cloudPercent < 11) return 800;
  if (cloudPercent < 25) return 801;
  if (cloudPercent < 51) return 802;
  return cloudPercent < 85 ? 803 : 804;
}
