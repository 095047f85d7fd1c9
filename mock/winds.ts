/** Owns the names of winds: their strength by Beaufort and where they come from, as the XML answers call them. */

/** The least m/s of each name. https://openweathermap.org/current#fields_xml */
const strengths: readonly (readonly [leastMs: number, name: string])[] = [
  [32.7, 'Hurricane'],
  [28.5, 'Violent storm'],
  [24.5, 'Storm'],
  [20.8, 'Severe Gale'],
  [17.2, 'Gale'],
  [13.9, 'High wind, near gale'],
  [10.8, 'Strong breeze'],
  [8, 'Fresh Breeze'],
  [5.5, 'Moderate breeze'],
  [3.4, 'Gentle Breeze'],
  [1.6, 'Light breeze'],
  [0.5, 'Calm'],
];

export function windName(metresPerSecond: number): string {
  return strengths.find(([least]) => metresPerSecond >= least)?.[1] ?? 'Setting';
}

/** Clockwise from the north. */
const directions: readonly (readonly [code: string, name: string])[] = [
  ['N', 'North'],
  ['NNE', 'North-northeast'],
  ['NE', 'NorthEast'],
  ['ENE', 'East-northeast'],
  ['E', 'East'],
  ['ESE', 'East-southeast'],
  ['SE', 'SouthEast'],
  ['SSE', 'South-southeast'],
  ['S', 'South'],
  ['SSW', 'South-southwest'],
  ['SW', 'Southwest'],
  ['WSW', 'West-southwest'],
  ['W', 'West'],
  ['WNW', 'West-northwest'],
  ['NW', 'Northwest'],
  ['NNW', 'North-northwest'],
];

/** The point of the compass nearest to an angle in degrees. */
export function windDirection(degrees: number): { code: string; name: string } {
  const [code, name] = directions[Math.round(degrees / 22.5) % directions.length] ?? ['N', 'North'];
  return { code, name };
}
